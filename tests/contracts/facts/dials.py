"""The dials of the practice server that stand for facts, each with what a run has to find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.doctypes import TYPES


@dataclass(frozen=True)
class Flip:
    """Settings that make a server unusual, and the facts that a run finds of it.

    `unable`: what cannot work on such a server, with the reason in a sentence.
    """

    name: str
    dials: dict[str, Any]
    facts: dict[str, Any]
    unable: dict[str, str] = field(default_factory=dict)

    def goes_with(self, other: Flip) -> bool:
        """Whether both can be turned at once and neither changes what is to be found of the other."""
        both = self.facts.keys() & other.facts.keys()
        same = all(self.facts[name] == other.facts[name] for name in both)
        return self.dials.keys().isdisjoint(other.dials) and same

    def dials_at(self, url: str) -> dict[str, Any]:
        """The settings of a server with this address."""
        if "api_url" not in self.dials:
            return self.dials
        return self.dials | {"api_url": url + self.dials["api_url"]}


WITHOUT_DOCX = {extension: code for code, _description, extension in TYPES if extension not in {"", "docx"}}

IN_CLASSES = {"AGREEMENT": "custom2", "KNOWHOW": "comment"}

FLIPS = (
    Flip("bearer", {"auth_header": "bearer"}, {"token_header": "bearer"}),
    Flip("header", {"auth_header": "x-auth-token"}, {"token_header": "x-auth-token"}),
    Flip("api path", {"api_url": "/api/v2"}, {"api_path": "/api/v2"}),
    Flip("customer as text", {"customer_id_text": True}, {"customer_id_is_text": True}),
    Flip("version", {"dms_version": "10.4.7"}, {"version": "10.4.7"}),
    Flip("discovery refuses", {"discovery_needs_token": True}, {"discovery_needs_token": True}),
    Flip("discovery says more", {"discovery_extra": {"region": "EU"}}, {"discovery_extra": ("region",)}),
    Flip(
        "discovery says less",
        {"discovery_without": ["work.libraries", "work.preferred_library", "user.email"]},
        {"discovery_lists_libraries": False},
    ),
    Flip("no versions in discovery", {"discovery_without": ["versions"]}, {"api_path": "/work/api/v2"}),
    Flip("arrays", {"list_shape": "array"}, {"list_shape": "array"}),
    Flip("results", {"list_shape": "results"}, {"list_shape": "results"}),
    Flip("objects", {"list_shape": "object"}, {"list_shape": "array, object"}),
    Flip("empty lists", {"list_shape": "empty_without_data"}, {"list_shape": "array"}),
    Flip("limit 20", {"max_limit": 20, "default_limit": 20}, {"max_limit": 20, "over_limit": "refuse"}),
    Flip("limit 1000", {"max_limit": 1000}, {"max_limit": 1000, "over_limit": "refuse"}),
    Flip(
        "limit reduced",
        {"max_limit": 20, "default_limit": 20, "over_limit": "clamp"},
        {"max_limit": 20, "over_limit": "clamp"},
    ),
    Flip("no pages", {"paging": "ignored"}, {"paging": "ignored"}),
    Flip("no totals", {"totals": "absent"}, {"totals": "absent"}),
    Flip("always totals", {"totals": "always"}, {"totals": "always"}),
    Flip("customer lists", {"customer_lists": False}, {"customer_lists": False}),
    Flip("ids with version", {"version_ids": "required"}, {"bare_ids": False, "versioned_ids": True}),
    Flip("ids without version", {"version_ids": "refused"}, {"bare_ids": True, "versioned_ids": False}),
    Flip("numbers as text", {"version_in_profiles": "text"}, {"numbers_as_text": True}),
    Flip(
        "no recent",
        {"missing": ["recent-workspaces"]},
        {"recent_workspaces": False},
        {"browse": "It lists no recent workspaces."},
    ),
    Flip("no favourites", {"missing": ["my-favorites"]}, {"favourites": False}),
    Flip("no My Matters", {"missing": ["my-matters"]}, {"my_matters": False}),
    Flip("no workspace search", {"missing": ["/workspaces$"]}, {"workspace_search": False}),
    Flip(
        "no document search",
        {"missing": ["GET .*/libraries/[^/]+/documents$", "GET .*/4242/documents$"]},
        {"document_search": False, "container_search": False},
        {"search": "It has no search for documents."},
    ),
    Flip("no change events", {"change_events": False}, {"change_events": False}),
    Flip(
        "missing calls are forbidden",
        {"missing": ["my-matters"], "missing_status": 403},
        {"my_matters": False},
    ),
    Flip("no codes", {"error_codes": "absent"}, {"error_codes": False}),
    Flip("one code", {"error_codes": "generic"}, {"error_codes": False}),
    Flip("no ranges", {"range_supported": False}, {"ranges": False}),
    Flip("no length", {"download_length": False}, {"download_length": False}),
    Flip("checksum absent", {"checksum": "absent"}, {"checksum": "absent"}),
    Flip("checksum wrong", {"checksum": "wrong"}, {"checksum": "other"}),
    Flip("checksum md5", {"checksum": "md5"}, {"checksum": "other"}),
    Flip("checksum lower case", {"checksum": "lower_case"}, {"checksum": "sha256"}),
    Flip("checksum of other bytes", {"checksum": "other_bytes"}, {"checksum": "other"}),
    Flip("sizes", {"size_off": 7}, {"sizes": False}),
    Flip("sizes and checksum", {"size_off": 7, "checksum": "absent"}, {"sizes": False, "checksum": "absent"}),
    Flip(
        "required",
        {"required_fields": {"DOC": ["custom1"]}},
        {"required_fields": IN_CLASSES | {"DOC": "custom1"}},
    ),
    Flip("required in forms", {"class_required_fields": False}, {"required_fields": IN_CLASSES}),
    Flip("required nowhere", {"class_required_fields": False, "missing": ["/forms/"]}, {}),
    Flip("short answers", {"upload_answer": "short"}, {"whole_answers": False}),
    Flip("upload 200", {"upload_status": 200}, {"upload_status": 200}),
    Flip("comments dropped", {"comments": "dropped"}, {"comments": "dropped", "version_comments": False}),
    Flip("comments not listed", {"comments": "not_listed"}, {"comments": "profile"}),
    Flip(
        "comment ignored", {"fields_ignored": ["comment"]}, {"comments": "dropped", "version_comments": True}
    ),
    Flip("version comment ignored", {"version_fields_ignored": ["comment"]}, {"version_comments": False}),
    Flip(
        "comment refused",
        {"fields_refused": ["comment"]},
        {"new_fields_refused": ("comment",), "comments": "dropped"},
    ),
    Flip(
        "checksum refused",
        {"fields_refused": ["checksum", "size"]},
        {"new_fields_refused": ("checksum", "size")},
    ),
    Flip(
        "inherit refused",
        {"fields_refused": ["inherit_profile_from_folder"]},
        {"new_fields_refused": ("inherit_profile_from_folder",)},
    ),
    Flip(
        "version comment refused",
        {"version_fields_refused": ["comment", "keep_locked"]},
        {"version_fields_refused": ("comment", "keep_locked"), "version_comments": False},
    ),
    Flip(
        "type refused",
        {"fields_refused": ["type"], "version_fields_refused": ["type"]},
        {"new_fields_refused": ("type",), "version_fields_refused": ("type",)},
    ),
    Flip("fallback", {"fallback_type": "BLANK"}, {"fallback_type": "BLANK"}),
    Flip(
        "no type for docx", {"types_missing": ["WORDX"], "unknown_types": "refused"}, {"types": WITHOUT_DOCX}
    ),
    Flip("name rule replace", {"name_rule": "replace"}, {"odd_names": "replace"}),
    Flip("name rule keep", {"name_rule": "keep"}, {"odd_names": "keep"}),
    Flip("one name once", {"duplicate_names": False}, {"duplicate_names": False}),
    Flip(
        "one name once, 400", {"duplicate_names": False, "duplicate_status": 400}, {"duplicate_names": False}
    ),
    Flip("lenient", {"lenient": True}, {}),
    Flip("folders", {"document_containers": ["regular"]}, {"document_containers": ("regular",)}),
    Flip(
        "search folders",
        {"document_containers": ["regular", "tab", "search"]},
        {"document_containers": ("regular", "search", "tab")},
    ),
    Flip("no delete", {"missing": ["DELETE .*/documents/"]}, {"deletes": False}),
    Flip("pace", {"rate_limit": 20, "rate_limit_reset": 2}, {"rate_headers": "ratelimit"}),
    Flip(
        "pace, other header",
        {"rate_limit": 20, "rate_limit_reset": 2, "rate_limit_headers": "retry_after"},
        {"rate_headers": "retry_after"},
    ),
    Flip(
        "pace, both",
        {"rate_limit": 20, "rate_limit_reset": 2, "rate_limit_headers": "both"},
        {"rate_headers": "both"},
    ),
    Flip(
        "pace, no header",
        {"rate_limit": 20, "rate_limit_reset": 2, "rate_limit_headers": "absent"},
        {"rate_headers": "absent"},
    ),
    Flip(
        "stamped",
        {"stored": "stamped"},
        {"stores_as_sent": False},
        {
            "save new": "It changes files.",
            "save version": "It changes files.",
            "in place": "It changes files.",
        },
    ),
)
