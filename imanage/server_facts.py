"""What is known of one server: facts that public documentation leaves open or that differ between servers.

The client asks a `ServerFacts` wherever its behaviour depends on one of them. The defaults are what is publicly known;
a fact that was measured or that an administrator told replaces its default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

TokenHeader = Literal["x-auth-token", "bearer", "both"]
Kind = Literal["choice", "yes_no", "number", "text", "words", "pairs"]
Needs = Literal["reading", "folder", "sign_in", "use"]
Value = str | int | bool | None | tuple[str, ...] | Mapping[str, str]

USUAL_HEADER: TokenHeader = "x-auth-token"
MOST_TEXT = 200
MOST_WORDS = 200


@dataclass(frozen=True)
class ServerFacts:
    """The facts of one server."""

    token_header: TokenHeader = USUAL_HEADER
    refresh_token: bool = True
    refresh_rotates: bool = False
    token_minutes: int | None = 30
    issuer_sent: bool = False

    discovery_path: str = "api"
    api_path: str = "/work/api/v2"
    customer_id_is_text: bool = False
    version: str = ""
    discovery_needs_token: bool = False
    discovery_lists_libraries: bool = True
    discovery_extra: tuple[str, ...] = ()

    customer_lists: bool = True
    list_shape: str = "array, results"
    max_limit: int = 9999
    over_limit: str = "refuse"
    paging: str = "offset"
    totals: str = "asked"
    versioned_ids: bool = True
    bare_ids: bool = True
    numbers_as_text: bool = False
    document_search: bool = True
    container_search: bool = True
    workspace_search: bool = True
    recent_workspaces: bool = True
    my_matters: bool = True
    favourites: bool = True
    change_events: bool = True
    error_codes: bool = True
    missing_status: int = 404

    ranges: bool = True
    download_length: bool = True
    checksum: str = "sha256"
    sizes: bool = True
    types: Mapping[str, str] = field(
        default_factory=lambda: {
            "docx": "WORDX",
            "doc": "WORD",
            "pdf": "ACROBAT",
            "xlsx": "EXCELX",
            "xls": "EXCEL",
            "pptx": "PPTX",
            "ppt": "PPT",
            "msg": "MIME",
        }
    )
    fallback_type: str = ""
    required_fields: Mapping[str, str] = field(default_factory=dict)

    upload_status: int = 201
    whole_answers: bool = True
    comments: str = "kept"
    version_comments: bool = True
    new_fields_refused: tuple[str, ...] = ()
    version_fields_refused: tuple[str, ...] = ()
    stores_as_sent: bool = True
    duplicate_names: bool = True
    odd_names: str = "refuse"
    deletes: bool = True

    document_containers: tuple[str, ...] = ("regular", "tab")
    largest_upload: int | None = None
    rate_headers: str = "ratelimit"

    measured: frozenset[str] = frozenset()
    """The facts that were measured on this server, rather than told or assumed."""

    def with_values(self, values: Mapping[str, Any], measured: frozenset[str] = frozenset()) -> ServerFacts:
        """These facts with other values. Unknown names and values that do not fit are ignored."""
        fit = {name: read(FACTS[name], value) for name, value in values.items() if name in FACTS}
        return replace(
            self, **{n: v for n, v in fit.items() if v is not _UNFIT}, measured=self.measured | measured
        )

    @property
    def has_pages(self) -> bool:
        """Whether lists can be read page by page."""
        return self.paging == "offset"

    @property
    def answers_are_whole(self) -> bool:
        """Whether uploads of this server are known to be answered with the whole profile."""
        return self.whole_answers and "whole_answers" in self.measured

    def limit(self, wanted: int) -> int:
        """The rows to ask for in one call: without paging, as many as the server gives."""
        return min(wanted, self.max_limit) if self.has_pages else self.max_limit


@dataclass(frozen=True)
class Fact:
    """One fact: what can find it out, and what the client does with it. `drives` is empty where it is only shown.

    `needs`: reading, uploads to a scratch folder, a sign-in, or use. `told`: an administrator may say otherwise.
    """

    name: str
    group: str
    title: str
    kind: Kind
    needs: Needs
    told: bool
    drives: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


class _Unfit:
    """The value does not fit the fact."""


_UNFIT = _Unfit()
_TABLE = """
Sign-in:
token_header | Header that carries the token | choice | reading | told
refresh_token | Sign-ins can be renewed | yes_no | sign_in
refresh_rotates | Each renewal replaces the refresh token | yes_no | sign_in
token_minutes | Minutes a token is valid | number | sign_in
issuer_sent | The sign-in names its issuer | yes_no | sign_in
Discovery:
discovery_path | Address of discovery | text | reading
api_path | Path of the API | text | reading
customer_id_is_text | Customer number is text | yes_no | reading
version | Version of iManage | text | reading
discovery_needs_token | Discovery needs a sign-in | yes_no | reading
discovery_lists_libraries | Discovery lists the libraries | yes_no | reading
discovery_extra | Further fields in discovery | words | reading
Lists:
customer_lists | Lists across all libraries | yes_no | reading | told
list_shape | Shapes of lists | text | reading
max_limit | Most rows in one call | number | reading | told
over_limit | A larger number of rows is | choice | reading
paging | Lists can be read page by page | choice | reading | told
totals | Lists say how many rows there are | choice | reading
IDs and answers:
versioned_ids | IDs with a version are accepted everywhere | yes_no | reading | told
bare_ids | IDs without a version are accepted | yes_no | reading
numbers_as_text | Numbers in profiles are text | yes_no | reading
error_codes | Refusals have a code of their own | yes_no | reading
missing_status | Status for a document that does not exist | number | reading
Calls:
document_search | Search for documents | yes_no | reading
container_search | Search inside a workspace | yes_no | reading
workspace_search | Search for workspaces | yes_no | reading
recent_workspaces | Recent workspaces | yes_no | reading
my_matters | My Matters | yes_no | reading
favourites | Favourites | yes_no | reading
change_events | Change events | yes_no | reading | told
Files and types:
ranges | Downloads can be continued | yes_no | reading | told
download_length | Downloads announce their length | yes_no | reading
checksum | Checksum in profiles | choice | reading | told
sizes | Size in profiles is that of the file | yes_no | reading | told
types | Document types by extension | pairs | reading | told
fallback_type | Type for files without an extension | text | folder | told
required_fields | Required fields by class | pairs | reading
Uploads:
upload_status | Status of an upload | number | folder
whole_answers | Uploads are answered with the whole profile | yes_no | folder
comments | Comments of uploads | choice | folder
version_comments | Comments of new versions are kept | yes_no | folder
new_fields_refused | Fields refused for a new document | words | folder | told
version_fields_refused | Fields refused for a new version | words | folder | told
stores_as_sent | Files are stored unchanged | yes_no | folder
duplicate_names | Two documents of one name in a folder | yes_no | folder
odd_names | Characters such as : and ? in names are | choice | folder
deletes | Documents can be deleted | yes_no | folder
Limits:
document_containers | Kinds of folder that take documents | words | reading | told
largest_upload | Largest upload in bytes | number | use | told
rate_headers | Header that says how long to wait | choice | reading
"""
_DRIVES = {
    "customer_lists": "whether recent workspaces and searches are one call, or one for each of up to eight libraries",
    "token_header": "the header of every call",
    "version": "when facts are learned again",
    "document_containers": "where the picker offers Save here",
    "max_limit": "the page size of every list",
    "paging": "without pages, one call with the most rows; what is left out is said",
    "versioned_ids": "the id in the list of versions and in a new version’s path",
    "change_events": "whether twins are checked soon after an event, or each within the hour",
    "ranges": "whether a broken download asks for the rest or starts again",
    "checksum": "whether it is compared with the bytes; otherwise size and our own hash are",
    "sizes": "whether it is compared with the bytes",
    "types": "the type of an upload",
    "fallback_type": "the type of an upload without an extension",
    "whole_answers": "once measured, a save takes the profile from the answer and does not read it back",
    "required_fields": "what the pop-up of Save asks for a new document of a class",
    "comments": "whether a save is recognised in a folder by Counterpart’s mark",
    "new_fields_refused": "the fields of an upload",
    "version_fields_refused": "the fields of an upload",
    "stores_as_sent": "whether a twin whose checksum differs counts as edited in iManage",
    "largest_upload": "a larger file is refused before it is sent",
}
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "token_header": {"x-auth-token": "X-Auth-Token", "bearer": "Authorization: Bearer", "both": "Both"},
    "over_limit": {"refuse": "Refused", "clamp": "Reduced"},
    "paging": {"offset": "Yes", "ignored": "No, the offset is ignored"},
    "totals": {"asked": "When asked", "always": "Always", "absent": "Never"},
    "checksum": {"sha256": "SHA-256 of the file", "absent": "None", "other": "Something else"},
    "comments": {"kept": "Kept", "profile": "Kept, not in lists", "dropped": "Dropped"},
    "odd_names": {"refuse": "Refused", "replace": "Replaced", "keep": "Kept"},
    "rate_headers": {
        "ratelimit": "x-ratelimit-reset",
        "retry_after": "Retry-After",
        "both": "Both",
        "absent": "None",
    },
}


def _facts() -> Iterator[Fact]:
    group = ""
    for line in _TABLE.strip().splitlines():
        if line.endswith(":"):
            group = line.removesuffix(":")
            continue
        name, title, kind, needs, *told = line.split(" | ")
        drives, choices = _DRIVES.get(name, ""), _CHOICES.get(name, {})
        yield Fact(name, group, title, cast(Kind, kind), cast(Needs, needs), bool(told), drives, choices)


FACTS: Mapping[str, Fact] = {each.name: each for each in _facts()}
ASSUMED = ServerFacts()


def value_of(facts: ServerFacts, name: str) -> Value:
    """One fact by its name."""
    return cast(Value, getattr(facts, name))


def read(fact: Fact, value: Any) -> Any:
    """A stored value as the fact has it; `_UNFIT` where it does not fit."""
    default = value_of(ASSUMED, fact.name)
    match fact.kind:
        case "yes_no":
            return value if isinstance(value, bool) else _UNFIT
        case "number":
            is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
            return value if is_number or (value is None and default is None) else _UNFIT
        case "choice":
            return value if value in fact.choices else _UNFIT
        case "text":
            return value[:MOST_TEXT] if isinstance(value, str) else _UNFIT
        case "words":
            is_list = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
            return tuple(value)[:MOST_WORDS] if is_list else _UNFIT
        case "pairs":
            is_map = isinstance(value, dict) and all(
                isinstance(each, str) for pair in value.items() for each in pair
            )
            return dict(value) if is_map else _UNFIT


def fits(fact: Fact, value: Any) -> bool:
    """Whether a value can be that of the fact."""
    return read(fact, value) is not _UNFIT


def stored(value: Value) -> Any:
    """The value as JSON."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
