"""The ids of iManage objects: `Library!number` for containers, `Library!number.version` for versions of documents.

An id is checked before it becomes part of a path, so that no id can lead a call somewhere else. Text becomes a
`VersionId` where it comes in, and nothing past that place compares or takes apart texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from .errors import BadIdError

MAX_ID = 200
MAX_NUMBER = 2**53 - 1
"""The largest number that is taken from iManage, of a document, a version or bytes.

Every program that reads JSON has it exactly, a column of eight bytes holds it, and a thousand of them can be added up.
"""
_DOCUMENT = re.compile(r"(?P<library>[^!]+)!(?P<number>[0-9]{1,16})(?:\.(?P<version>[0-9]{1,16}))?")


@dataclass(frozen=True)
class DocumentId:
    """A document with all its versions: what a twin is known by.

    Equal whatever the library's spelling: iManage writes `Active` here and `ACTIVE` there, and means the same.
    """

    library: str = field(compare=False)
    number: int
    library_key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "library_key", self.library.casefold())

    def at(self, version: int) -> VersionId:
        """One version of it."""
        return VersionId(self.library, self.number, version)

    def __str__(self) -> str:
        return f"{self.library}!{self.number}"


@dataclass(frozen=True)
class VersionId:
    """One version of a document. A call that names a document names its version too, as iManage's own clients do.

    No kind of DocumentId: the two are never equal, and neither may stand where the other is meant.
    """

    library: str = field(compare=False)
    number: int
    version: int
    library_key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "library_key", self.library.casefold())

    @classmethod
    def parse(cls, text: str, version: int | None = None) -> VersionId:
        """Read `Active!104512.3`. A `version` that was told beside the text goes before the text's own."""
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
        """The document that it is a version of."""
        return DocumentId(self.library, self.number)

    def __str__(self) -> str:
        return f"{self.library}!{self.number}.{self.version}"


def segment(text: str) -> str:
    """One path component, quoted except for `!`, which no client of iManage encodes.

    It stays one component however often it is unquoted on its way: some proxies do that once more than they should.
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
    """The id of a workspace or folder, as it came in. Raises BadIdError."""
    library_of(text)
    return text


def library_of(object_id: str) -> str:
    """The library that an object's id names, which is also the one its path needs."""
    library, mark, number = object_id.rpartition("!")
    if not (mark and library and number):
        raise BadIdError(object_id)
    segment(library)
    segment(object_id)
    return library


def in_library(library: str, *parts: str) -> str:
    """A path below a library, from parts that are ids or fixed words."""
    return "/".join(["libraries", segment(library), *map(segment, parts)])


def of_object(kind: str, object_id: str, *parts: str) -> str:
    """A path below one object, such as `libraries/Active/folders/Active!7/children`."""
    return in_library(library_of(object_id), kind, object_id, *parts)
