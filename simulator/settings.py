"""The settings: behaviour that iManage's public documentation leaves open or that differs between servers.

The comment beside a setting is its description on the control page's JSON, in `--help` and in the README.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_type_hints

CHOICES = {
    "auth_header": ("either", "x-auth-token", "bearer", "both"),
    "ended_sessions": ("401", "403", "redirect", "page"),
    "client_auth": ("body", "basic", "either"),
    "pkce": ("accepted", "required", "refused"),
    "list_shape": ("documented", "array", "results", "object", "unknown_key", "empty_without_data"),
    "totals": ("asked", "always", "absent"),
    "over_limit": ("refuse", "clamp"),
    "paging": ("offset", "ignored"),
    "version_ids": ("either", "required", "refused"),
    "version_in_profiles": ("number", "text"),
    "search_folder_children": ("served", "browse_only"),
    "category_rows": ("with_wstype", "without_wstype"),
    "effective_security": ("known", "absent", "other_words"),
    "checksum": ("right", "wrong", "absent", "md5", "lower_case", "other_bytes"),
    "stored": ("as_sent", "stamped"),
    "comments": ("kept", "dropped", "not_listed"),
    "name_rule": ("refuse", "replace", "keep"),
    "unknown_types": ("replaced", "kept", "refused"),
    "oauth_error_shape": ("nested", "flat"),
    "error_codes": ("named", "generic", "absent"),
    "upload_answer": ("whole", "short"),
    "rate_limit_headers": ("ratelimit", "retry_after", "both", "absent"),
}
SEARCH_FOLDER_MARKS = ("folder_type", "view_type", "saved_search")


@dataclass
class Settings:
    # Addresses and discovery
    public_url: str = ""  # base URL in links and discovery; empty: the host of the request
    api_url: str = ""  # the URL of v2 in discovery; empty: `/work/api/v2` below the base URL
    customer_id: int = 4242  # the customer in paths
    customer_id_text: bool = False  # discovery gives the customer id as text
    dms_version: str = "10.2.3812"  # the server's version, in discovery and errors
    api_versions: tuple[str, ...] = ("v2",)  # the API versions in discovery
    discovery_needs_token: bool = False  # discovery without a token is a 401
    discovery_extra: dict[str, Any] = field(default_factory=dict)  # added to discovery's `data`
    discovery_without: tuple[str, ...] = ()  # dotted names left out of discovery's `data`

    # Sign-in and tokens
    auth_header: str = "either"  # the token header that is accepted
    client_auth: str = "body"  # where the token endpoint accepts client ID and secret
    pkce: str = "accepted"  # what happens to a `code_challenge`
    access_idle_seconds: float = 1800.0  # access tokens expire after this time without use
    ended_sessions: str = "401"  # the answer to a call without a valid token; page is HTML with 200
    access_sliding: bool = True  # use of an access token restarts its time
    expires_in: Any = "true"  # "true": the idle time; "absent": omitted; any other value is sent as it is
    code_seconds: float = 60.0  # authorization codes are valid this long
    refresh_allowed: bool | None = None  # None: as registered for the application
    refresh_rotation: bool = False  # a refresh gives a new refresh token and ends the old one
    refresh_seconds: float = 365 * 86400.0  # refresh tokens are valid this long
    refresh_needs_client: bool = True  # a refresh without client ID and secret is refused
    oauth_error_shape: str = "nested"  # errors of the token endpoint; flat as in RFC 6749
    issuer: str = ""  # sent as `iss` with the code, unless empty

    # Lists, ids and searches
    list_shape: str = "documented"  # the shape of `data` in lists
    default_limit: int = 500  # rows of a list without a `limit`
    max_limit: int = 9999  # the largest `limit`
    over_limit: str = "refuse"  # a larger `limit` is refused, or means the largest
    paging: str = "offset"  # ignored: every `offset` gives the first page
    totals: str = "asked"  # when lists have a `total_count`
    search_cap: int = 10000  # rows of one search
    customer_lists: bool = True  # lists across libraries are served; false: 404, only `libraries/{lib}/…` is
    version_ids: str = "either"  # ids without a version are refused (required), or those with one
    version_in_profiles: str = "number"  # `version` and `document_number` are numbers or text
    filters_refused: tuple[str, ...] = ()  # filters that searches refuse by name
    search_index: bool = True  # false: searches for documents are refused with NRC_INDEX_UNAVAILABLE
    missing: tuple[str, ...] = ()  # calls that do not exist: expressions searched in `METHOD path`
    missing_status: int = 404  # the status of missing calls
    change_events: bool = True  # change events are served

    # Containers
    search_folder_children: str = "served"  # browse_only: only `children/browse` opens a search folder
    search_folder_marks: tuple[str, ...] = SEARCH_FOLDER_MARKS  # the marks of a search folder
    document_containers: tuple[str, ...] = ("regular", "tab")  # folder types that take documents
    category_rows: str = "with_wstype"  # whether categories of favourites and My Matters have a `wstype`
    effective_security: str = "known"  # `effective_security` of containers

    # Documents
    lenient: bool = False  # a file part without a name is accepted, and unknown profile fields are ignored
    checksum: str = "right"  # the checksum in profiles
    size_off: int = 0  # added to the size in profiles
    stored: str = "as_sent"  # stamped: a few bytes are appended to uploads
    comments: str = "kept"  # not_listed: only in a document's own profile
    range_supported: bool = True  # downloads by range
    download_length: bool = True  # downloads have a Content-Length
    upload_status: int = 201  # the status of a successful upload
    upload_answer: str = (
        "whole"  # short: an upload is answered with ID, name and version instead of the profile
    )
    max_upload_bytes: int | None = None  # a larger file is refused
    too_large_status: int = 413  # the status for a file that is too large
    fields_refused: tuple[str, ...] = ()  # fields refused by name in the profile of a new document
    version_fields_refused: tuple[str, ...] = ()  # fields refused in the profile of a new version or file
    fields_ignored: tuple[str, ...] = ()  # fields dropped from the profile of a new document
    version_fields_ignored: tuple[str, ...] = ()  # fields dropped from the profile of a new version or file
    required_fields: dict[str, list[str]] = field(
        default_factory=dict
    )  # required fields by class, over the built-in ones
    class_required_fields: bool = True  # false: classes do not list them, only `forms/visible-fields` does
    types_missing: tuple[str, ...] = ()  # types that the library does not have
    fallback_type: str = "UNKNOWN"  # the type of a file whose extension has none
    unknown_types: str = "replaced"  # what happens to a type that the library does not have
    extension_needs_type: bool = False  # a file whose extension has no type is refused
    name_max: int = 254  # the longest name
    name_forbidden: str = '\\/:*?"<>|'  # characters that a name may not have
    name_rule: str = "refuse"  # replace: a forbidden character becomes "_" and a long name is shortened
    duplicate_names: bool = True  # a folder may hold two documents of one name
    duplicate_status: int = 409  # the status for a second one
    trash: bool = True  # deleted documents go to the trash

    # Refusals and pace
    wall_status: int = 403  # 403, 404 or 401 for objects that the user may not see
    checked_out_status: int = 409  # the status of a write to a document that another user checked out
    error_codes: str = "named"  # the `code` of errors: as documented, always NRC_FAILURE, or absent
    latency: float = 0.0  # seconds before every response
    rate_limit: int | None = None  # calls per second and user; above it 429
    rate_limit_reset: int = 1  # seconds over which the rate is counted
    rate_limit_headers: str = "ratelimit"  # the headers of a 429

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lacks(self, call: str) -> bool:
        """Whether a call, as `METHOD path`, does not exist on this server."""
        return any(re.search(pattern, call) for pattern in self.missing)

    def update(self, changes: dict[str, Any]) -> None:
        """Change several settings at once; an invalid name or value changes none. Raises ValueError."""
        hints = get_type_hints(Settings)
        clean: dict[str, Any] = {}
        for name, given in changes.items():
            if name not in hints:
                raise ValueError(
                    f"there is no setting {name!r}; known: {', '.join(f.name for f in fields(self))}"
                )
            value = tuple(given) if isinstance(given, list) and hints[name] == tuple[str, ...] else given
            if isinstance(value, int) and not isinstance(value, bool) and hints[name] is float:
                value = float(value)
            if not _fits(value, hints[name]) or value not in CHOICES.get(name, (value,)):
                raise ValueError(f"{given!r} is not valid for the setting {name!r}")
            clean[name] = value
        for pattern in clean.get("missing", ()):
            _check(pattern)
        for name, value in clean.items():
            setattr(self, name, value)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint == tuple[str, ...]:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    if hint == dict[str, Any]:
        return isinstance(value, dict) and all(isinstance(one, str) for one in value)
    if hint == dict[str, list[str]]:
        return isinstance(value, dict) and all(
            isinstance(name, str) and isinstance(each, list) and all(isinstance(one, str) for one in each)
            for name, each in value.items()
        )
    return isinstance(value, hint) and not (isinstance(value, bool) and hint in (int, float))


def _check(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error


def descriptions() -> dict[str, str]:
    """Each setting's name and the comment beside it, also where a formatter has broken the line."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.getsource(Settings).partition("\n\n    def ")[0].splitlines():
        word, colon, _ = line.removeprefix("    ").partition(": ")
        if colon and word.isidentifier():
            name = word
        code, mark, comment = line.partition("  # ")
        if mark and name and code.strip():
            found[name] = comment
    return found
