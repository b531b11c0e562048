"""Finds out the facts of a server (imanage/server_facts.py) as one user. This part only reads.

Every finding is proven by an answer. What the answers do not prove stays unknown, with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from . import profiles
from .client import Params
from .discovery import identity_of
from .errors import BadIdError, ImanageError
from .ids import VersionId, library_path, object_path
from .learning_calls import Answer, Caller, Found, LearningStoppedError
from .server_facts import ASSUMED, TokenHeader
from .types import Endpoints

HEADERS: tuple[TokenHeader, ...] = ("x-auth-token", "bearer", "both")
DISCOVERY = ("api", "work/api")
KNOWN_FIELDS = frozenset(["app", "auth_status", "capabilities", "dms_version", "user", "versions", "work"])
LARGEST_LIMIT = 9999
PRODUCT_LIMIT = 1000
FEW_ROWS = (50, 10, 1)
MOST_FORMS = 20
"""Forms of classes read: each is a request."""
MOST_PAGES = 20
PAGES = frozenset(["htm", "html"])
"""Documents that cannot be told from a page of something on the way."""
FAR = 100_000_000
"""An offset behind the end of every list: the limit is judged without any rows."""
MOST_DOWNLOAD = 4 * 1024 * 1024
NO_DOCUMENTS = "No document was found to try it with."
FEW_DOCUMENTS = "The library has too few documents to tell."


class Reading:
    """The part of a run that only reads. `run` fills `found`; `library`, `documents` serve the part that stores."""

    def __init__(self, caller: Caller, endpoints: Endpoints, found: Found) -> None:
        self.calls, self._endpoints, self.found = caller, endpoints, found
        self.library = ""
        self.user_id = ""
        self.documents: list[dict[str, Any]] = []
        self._shapes: set[str] = set()

    def run(self) -> None:
        """All steps. A step that the server fails leaves its facts unknown; LearningStoppedError ends the run."""
        self._discovery()
        if not self.library:
            raise LearningStoppedError("iManage lists no library for this user.")
        steps: tuple[Callable[[], None], ...] = (
            self._lists,
            self._paging,
            self._limit,
            self._ids,
            self._calls,
            self._refusals,
            self._content,
            self._types,
            self._required_fields,
            self._containers,
        )
        for step in steps:
            step()

    def _set(self, name: str, value: Any) -> None:
        self.found.values[name] = value
        self.found.unknown.pop(name, None)

    def _unknown(self, why: str, *names: str) -> None:
        self.found.unknown |= {name: why for name in names if name not in self.found.values}

    def _in_library(self, *parts: str) -> str:
        return library_path(self.library, *parts)

    # -- steps ----------------------------------------------------------------------------------------------

    def _discovery(self) -> None:
        """The header and path that show who is signed in; the API has to accept the header, too."""
        for header in HEADERS:
            self.calls.header = header
            path, answer = self._discover()
            if not answer.is_json:
                continue
            try:
                identity = identity_of(answer.payload, self._endpoints)
            except ImanageError:
                continue
            self.calls.base, self.user_id = identity.base_url, identity.user_id
            libraries = self.calls.get("libraries", "which libraries there are")
            if libraries.status == 401:
                continue
            self._set("token_header", header)
            self._described(path, answer.payload["data"], identity.base_url, identity.dms_version or "")
            self._choose_library(libraries, identity.preferred_library)
            anonymous = self.calls.send("GET", path, "discovery without a sign-in", is_signed_in=False)
            if anonymous.is_json or anonymous.status in {401, 403}:
                self._set("discovery_needs_token", not anonymous.is_json)
            return
        raise LearningStoppedError("iManage does not recognise the sign-in in any header.")

    def _discover(self) -> tuple[str, Answer]:
        answer = Answer(0)
        for path in DISCOVERY:
            answer = self.calls.send("GET", path, "who is signed in, and where the API is")
            if answer.status != 404 and answer.payload is not None:
                return path, answer
        return DISCOVERY[-1], answer

    def _described(self, path: str, data: dict[str, Any], base_url: str, version: str) -> None:
        self._set("discovery_path", path)
        api = base_url.removeprefix(self._endpoints.api).partition("/customers/")[0]
        self._set("api_path", api)
        user, work = data.get("user"), data.get("work")
        self._set("customer_id_is_text", isinstance(user, dict) and isinstance(user.get("customer_id"), str))
        self._set("version", version)
        self._set("discovery_lists_libraries", isinstance(work, dict) and bool(work.get("libraries")))
        self._set("discovery_extra", tuple(sorted(profiles.storable(n) for n in data.keys() - KNOWN_FIELDS)))

    def _choose_library(self, answer: Answer, preferred: str | None) -> None:
        listed = [each for row in answer.rows if (each := profiles.library(row)) is not None]
        names = [each.id for each in listed if not each.hidden] or [each.id for each in listed]
        match = [name for name in names if preferred and name.casefold() == preferred.casefold()]
        self.library = next(iter([*match, *names]), preferred or "")
        self._shapes.add(_shape(answer))

    def _lists(self) -> None:
        """Documents to try things with; shapes and totals of lists."""
        path = self._in_library("documents")
        asked = self._search(FEW_ROWS[0])
        for limit in FEW_ROWS[1:]:
            if asked.is_refusal:
                asked = self._search(limit)
        plain = self.calls.get(path, "the same without a total", params={"latest": "true", "limit": 1})
        if asked.is_json and _shape(asked):
            self._set("document_search", True)
            totals = (asked.has_total, plain.has_total)
            if plain.is_json:
                words = {(True, False): "asked", (True, True): "always", (False, False): "absent"}
                self._set("totals", words.get(totals, "asked"))
        elif asked.is_refusal:
            self._set("document_search", False)
            self._unknown("Documents cannot be searched.", "totals")
        self._shapes.add(_shape(asked))
        self.documents = [row for row in asked.rows if id_of(row)] or self._walk()
        if not self.documents:
            names = ("numbers_as_text", "versioned_ids", "bare_ids", "ranges", "download_length")
            self._unknown(NO_DOCUMENTS, *names, "checksum", "sizes")

    def _search(self, limit: int) -> Answer:
        params: Params = {"latest": "true", "limit": limit, "total": "true"}
        return self.calls.get(self._in_library("documents"), "search for documents", params=params)

    def _walk(self) -> list[dict[str, Any]]:
        """Documents of recent workspaces, where they cannot be searched."""
        found = self.calls.get(self._in_library("recent-workspaces"), "workspaces to look into")
        for workspace in found.rows[:3]:
            for folder in self._children("workspaces", workspace)[:3]:
                documents = [row for row in self._children("folders", folder) if id_of(row)]
                if documents:
                    return documents
        return []

    def _children(self, kind: str, row: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            path = object_path(kind, str(row.get("id")), "children")
        except BadIdError:
            return []
        return self.calls.get(path, f"the contents of {kind}").rows

    def _paging(self) -> None:
        """Whether the second row of a list is another one than its first."""
        first, second = (
            self.calls.get(self._countable, "one row of a list", params={"limit": 1, "offset": offset}).rows
            for offset in (0, 1)
        )
        if first and first[0].get("id") and second:
            self._set("paging", "ignored" if second[0].get("id") == first[0]["id"] else "offset")
        else:
            self._unknown(FEW_DOCUMENTS, "paging")

    def _limit(self) -> None:
        """The largest limit that is accepted; a server that reduces it shows that in the number of rows."""
        if not self._accepts(1):
            self._unknown("The server accepts no offset behind the end.", "max_limit", "over_limit")
        elif self._accepts(LARGEST_LIMIT + 1):
            self._reduced()
        else:
            low, high = 1, LARGEST_LIMIT + 1
            if self._accepts(LARGEST_LIMIT):
                low = LARGEST_LIMIT
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self._accepts(middle) else (low, middle)
            self._set("max_limit", low)
            self._set("over_limit", "refuse")

    def _accepts(self, limit: int) -> bool:
        params: Params = {"limit": limit, "offset": FAR}
        return self.calls.get(self._countable, "how many rows it gives", params=params).is_json

    @property
    def _countable(self) -> str:
        """A list with many rows if documents can be searched, else one that every server has."""
        return self._in_library("documents" if self.found.values.get("document_search") else "types")

    def _reduced(self) -> None:
        path = self._countable
        many = self.calls.get(path, "as many rows as the product asks for", params={"limit": PRODUCT_LIMIT})
        count = len(many.rows)
        if count >= PRODUCT_LIMIT:
            self._set("max_limit", LARGEST_LIMIT)
        elif count and self.found.values.get("paging") == "offset":
            beyond = self.calls.get(path, "whether there are more", params={"limit": 1, "offset": count})
            if beyond.rows:
                self._set("max_limit", count)
                self._set("over_limit", "clamp")
        self._unknown(FEW_DOCUMENTS, "max_limit", "over_limit")

    def _ids(self) -> None:
        """Ids with and without a version, in a profile and in the list of versions."""
        document = next((id for row in self.documents if (id := id_of(row))), None)
        if document is None:
            return
        plain = object_path("documents", str(document.document))
        profile = self.calls.get(object_path("documents", str(document)), "a profile by id with version")
        bare = self.calls.get(plain, "a profile by id without version")
        versions = self.calls.get(
            object_path("documents", str(document), "versions"), "versions by id with version"
        )
        if profile.row:
            self._set("numbers_as_text", isinstance(profile.row.get("version"), str))
        for name, answer in (("bare_ids", bare), ("versioned_ids", versions)):
            if answer.is_json or answer.is_refusal:
                self._set(name, answer.is_json)
        if versions.is_refusal:
            again = self.calls.get(f"{plain}/versions", "versions by id without version")
            if not again.is_json:
                del self.found.values["versioned_ids"]
                self._unknown("Versions cannot be listed.", "versioned_ids")

    def _calls(self) -> None:
        """Lists of workspaces in a library and across all, and calls that a server may not have."""
        limit: dict[str, str | int] = {"limit": 1}
        name: dict[str, str | int] = {**limit, "name": "a"}
        mine = ("users", self.user_id, "my-matters", "children")
        library = {
            "recent_workspaces": ("recent workspaces", self._in_library("recent-workspaces"), limit),
            "workspace_search": ("search for workspaces", self._in_library("workspaces"), name),
            "my_matters": ("My Matters", self._in_library(*mine), {}),
            "favourites": ("favourites", self._in_library("my-favorites", "children"), limit),
            "change_events": ("change events", self._in_library("change-events"), limit),
        }
        for fact, (what, path, params) in library.items():
            answer = self.calls.get(path, what, params=params)
            self._exists(fact, answer)
            if fact != "change_events":
                self._shapes.add(_shape(answer))
        self._set("list_shape", ", ".join(sorted(filter(None, self._shapes))))
        self._across_libraries(limit, name)
        inside = next((row["workspace_id"] for row in self.documents if row.get("workspace_id")), None)
        if isinstance(inside, str):
            params = {**limit, "container_id": inside}
            path = self._in_library("documents")
            self._exists("container_search", self.calls.get(path, "search in a workspace", params=params))
        else:
            self._unknown(NO_DOCUMENTS, "container_search")

    def _across_libraries(self, limit: Params, name: Params) -> None:
        """Whether lists that each library has can be read for all at once."""
        lists = {
            "recent_workspaces": ("recent-workspaces", limit),
            "workspace_search": ("workspaces", name),
            "document_search": ("documents", {**limit, "latest": "true"}),
        }
        answers = [
            self.calls.get(path, f"{path} of all libraries", params=params)
            for fact, (path, params) in lists.items()
            if self.found.values.get(fact)
        ]
        if any(each.is_refusal for each in answers):
            self._set("customer_lists", False)
        elif answers and all(each.is_json for each in answers):
            self._set("customer_lists", True)
        else:
            self._unknown("No list of a library could be compared with it.", "customer_lists")

    def _exists(self, fact: str, answer: Answer) -> None:
        if answer.is_json or answer.is_refusal:
            self._set(fact, answer.is_json)
        else:
            self._unknown(f"iManage answered with status {answer.status}.", fact)

    def _refusals(self) -> None:
        """What a document that does not exist is answered with, and whether refusals can be told apart."""
        missing = self.calls.get(
            object_path("documents", f"{self.library}!999999999999.1"), "no such document"
        )
        wrong = self.calls.get(self._in_library("types"), "a wrong limit", params={"limit": "none"})
        if not missing.is_refusal:
            self._unknown("No refusal came.", "missing_status", "error_codes")
            return
        self._set("missing_status", missing.status)
        if not missing.code:
            self._set("error_codes", False)
        elif wrong.is_refusal and wrong.status != missing.status:
            self._set("error_codes", missing.code != wrong.code)
        else:
            self._unknown("Only one kind of refusal came.", "error_codes")

    def _content(self) -> None:
        """The bytes of up to two small documents against their profiles, and the rest of one of them."""
        sized = sorted(
            (size, str(id), row)
            for row in self.documents
            if (id := id_of(row))
            and (profiles.text(row, "extension") or "").lower() not in PAGES
            and 1 < (size := profiles.number(row, "size") or 0) <= MOST_DOWNLOAD
        )
        seen: list[tuple[str, bool]] = []
        for _size, name, row in sized[:2]:
            whole = self.calls.get(object_path("documents", name, "download"), "the bytes of a document")
            if not whole.is_success or len(whole.body) < 2:
                continue
            if not seen:
                self._set("download_length", bool(whole.headers.get("Content-Length")))
                self._continued(name, whole.body)
            seen.append((_meaning(row, whole.body), profiles.number(row, "size") == len(whole.body)))
        if not seen:
            self._unknown(NO_DOCUMENTS, "checksum", "sizes", "ranges", "download_length")
            return
        meanings, sizes = {meaning for meaning, _right in seen}, {right for _meaning, right in seen}
        if len(meanings) == 1:
            self._set("checksum", meanings.pop())
        if len(sizes) == 1:
            self._set("sizes", sizes.pop())
        self._unknown("Two documents showed different things.", "checksum", "sizes")

    def _continued(self, id: str, body: bytes) -> None:
        path = object_path("documents", id, "download")
        rest = self.calls.get(path, "the rest of a document", headers={"Range": "bytes=1-"})
        if rest.status == 206 and rest.body == body[1:]:
            self._set("ranges", True)
        elif rest.is_success or rest.is_refusal:
            self._set("ranges", False)

    def _types(self) -> None:
        listed = self._all_rows(self._in_library("types"), "document types")
        rows = [(profiles.text(row, "id"), profiles.text(row, "app_extension")) for row in listed]
        by_extension: dict[str, str] = {}
        for code, extension in rows:
            if code and extension:
                extension = extension.lower().lstrip(".")
                if extension not in by_extension or code == ASSUMED.types.get(extension):
                    by_extension[extension] = code
        if by_extension:
            self._set("types", by_extension)
        else:
            self._unknown("iManage lists no document types.", "types")

    def _all_rows(self, path: str, purpose: str) -> list[dict[str, Any]]:
        """A list of settings, page by page where the server gives few rows at once."""
        most = self.found.values.get("max_limit")
        limit = min(PRODUCT_LIMIT, most) if isinstance(most, int) else PRODUCT_LIMIT
        rows: dict[str, dict[str, Any]] = {}
        for _ in range(MOST_PAGES):
            known = len(rows)
            page = self.calls.get(path, purpose, params={"limit": limit, "offset": known}).rows
            rows |= {repr(row): row for row in page}
            if len(page) < limit or len(rows) == known:
                break
        return list(rows.values())

    def _required_fields(self) -> None:
        """From the classes; where they do not say, from the form of each of the first."""
        rows = self._all_rows(self._in_library("classes"), "required fields of classes")
        fields: dict[str, list[str] | None] = {}
        for row in rows:
            if name := profiles.text(row, "id"):
                said = row.get("required_fields")
                fields[name] = [str(each) for each in said] if isinstance(said, list) else None
        if None in fields.values() and len(fields) <= MOST_FORMS:
            fields |= {name: self._required_in_form(name) for name in fields}
        if not fields or None in fields.values():
            self._unknown("iManage does not list required fields.", "required_fields")
            return
        self._set("required_fields", {name: ", ".join(each) for name, each in fields.items() if each})

    def _required_in_form(self, name: str) -> list[str] | None:
        """The required fields in the form of a class; None where its rows do not say. A name is always sent."""
        params: Params = {"form_type": "edit_document", "class": name}
        path = self._in_library("forms", "visible-fields")
        rows = self.calls.get(path, "required fields in the form of a class", params=params).rows
        said = {
            profiles.text(row, "name", "id"): profiles.boolean(row, "required", "is_required") for row in rows
        }
        if not said or None in said or None in said.values():
            return None
        return [str(field) for field, is_required in said.items() if is_required and field != "name"]

    def _containers(self) -> None:
        """Which kinds of folder of the first workspaces say that documents may be added."""
        takes: dict[str, bool] = {}
        found = self.calls.get(
            self._in_library("recent-workspaces"), "workspaces to look into", params={"limit": 5}
        )
        for workspace in found.rows[:5]:
            for row in self._children("workspaces", workspace)[:20]:
                kind, may = profiles.text(row, "folder_type"), profiles.text(row, "effective_security")
                if kind and kind not in takes and may in {"read_write", "full_access"}:
                    allowed = self._may_add(row)
                    if allowed is not None:
                        takes[kind] = allowed
        if takes.get("regular") and {"tab", "search"} <= takes.keys():
            self._set("document_containers", tuple(sorted(kind for kind in takes if takes[kind])))
        else:
            self._unknown("The workspaces looked into have no tab and search folder.", "document_containers")

    def _may_add(self, row: dict[str, Any]) -> bool | None:
        try:
            path = object_path("folders", str(row.get("id")), "operations")
        except BadIdError:
            return None
        may = self.calls.get(path, "whether a folder takes documents").row.get("add_documents")
        return may if isinstance(may, bool) else None


def _shape(answer: Answer) -> str:
    """How a list is wrapped; empty where it is no list that is understood."""
    data = answer.payload.get("data") if answer.is_success and isinstance(answer.payload, dict) else None
    if isinstance(data, list):
        return "array"
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        return "results"
    return "object" if isinstance(data, dict) and data.get("id") else ""


def id_of(row: dict[str, Any]) -> VersionId | None:
    """The document that a row describes; None where it is none."""
    found = profiles.document_or_none(row)
    return found.id if found else None


def _meaning(row: dict[str, Any], body: bytes) -> str:
    given = profiles.text(row, "checksum")
    if not given:
        return "absent"
    return "sha256" if profiles.checksum(given) == hashlib.sha256(body).hexdigest() else "other"
