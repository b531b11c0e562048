"""The ids of iManage objects: `Library!number` for containers, `Library!number.version` for versions of documents.

Ids are validated before they become part of a path, so that no id can redirect a call (path traversal). Text is parsed
into a `VersionId` at the boundary; code inside never compares or splits strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from .errors import BadIdError

MAX_ID = 200
MAX_NUMBER = 2**53 - 1
"""The largest document number, version or byte count accepted from iManage.

Exact in every JSON parser, fits a 64-bit column, and a thousand of them can be summed.
"""
_DOCUMENT = re.compile(r"(?P<library>[^!]+)!(?P<number>[0-9]{1,16})(?:\.(?P<version>[0-9]{1,16}))?")


@dataclass(frozen=True)
class DocumentId:
    """A document with all its versions, by which links to it are stored.

    Compares the library case-insensitively: iManage writes `Active` in ids and `ACTIVE` in a profile's `database`.
    """

    library: str = field(compare=False)
    number: int
    library_key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "library_key", self.library.casefold())

    def at(self, version: int) -> VersionId:
        """One version of the document."""
        return VersionId(self.library, self.number, version)

    def __str__(self) -> str:
        return f"{self.library}!{self.number}"


@dataclass(frozen=True)
class VersionId:
    """One version of a document. Calls always include the version in the id, as iManage's own clients do.

    Not a subclass of DocumentId: the two are never equal and not interchangeable.
    """

    library: str = field(compare=False)
    number: int
    version: int
    library_key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "library_key", self.library.casefold())

    @classmethod
    def parse(cls, text: str, version: int | None = None) -> VersionId:
        """Parse `Active!104512.3`. An explicit `version` overrides the one in the text. Raises BadIdError."""
        segment(text)
        found = _DOCUMENT.fullmatch(text)
        if found is None:
            raise BadIdError(text)
        number, version = int(found["number"]), version or int(found["version"] or 0)
        segment(found["library"])
        if not version or max(number, version) > MAX_NUMBER:
            raise BadIdError(text)
        return cls(found["library"], number, version)

    @property
    def document(self) -> DocumentId:
        """The document without the version."""
        return DocumentId(self.library, self.number)

    def __str__(self) -> str:
        return f"{self.library}!{self.number}.{self.version}"


def segment(text: str) -> str:
    """One path segment, percent-encoded except for `!`, which no iManage client encodes. Raises BadIdError.

    It remains one segment however often it is decoded on the way: some proxies decode once too often.
    """
    if not text or len(text) > MAX_ID:
        raise BadIdError(text)
    before, read = "", text
    while read != before:
        if "/" in read or not read.isprintable() or not {".", ".."}.isdisjoint(read.split("\\")):
            raise BadIdError(text)
        before, read = read, unquote(read)
    return quote(text, safe="!")


def container_id(text: str) -> str:
    """The id of a workspace or folder, unchanged. Raises BadIdError."""
    library_of(text)
    return text


def library_of(object_id: str) -> str:
    """The library in an object's id, which its path needs too. Raises BadIdError."""
    library, mark, number = object_id.rpartition("!")
    if not (mark and library and number):
        raise BadIdError(object_id)
    segment(library)
    segment(object_id)
    return library


def library_path(library: str, *parts: str) -> str:
    """A path below a library; the parts are ids or fixed words."""
    return "/".join(["libraries", segment(library), *map(segment, parts)])


def object_path(kind: str, object_id: str, *parts: str) -> str:
    """A path below one object, such as `libraries/Active/folders/Active!7/children`."""
    return library_path(library_of(object_id), kind, object_id, *parts)
