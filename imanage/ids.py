"""The ids of iManage objects: `Library!number` for containers, `Library!number.version` for documents.

An id is checked before it becomes part of a path, so that no id can lead a call somewhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from .errors import BadId

MAX_ID = 200
_UNSAFE = re.compile(r"[/\\?#%\x00-\x20\x7f-\x9f]|\.\.")
_DOCUMENT = re.compile(r"(?P<library>[^!]+)!(?P<number>[0-9]{1,18})(?:\.(?P<version>[0-9]{1,9}))?")


@dataclass(frozen=True)
class DocumentId:
    """A document, or with a version one version of it."""

    library: str
    number: int
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> DocumentId:
        """Read `Active!104512.3` or `Active!104512`."""
        segment(text)
        found = _DOCUMENT.fullmatch(text)
        if found is None:
            raise BadId(text)
        version = found["version"]
        return cls(found["library"], int(found["number"]), int(version) if version else None)

    def __str__(self) -> str:
        bare = f"{self.library}!{self.number}"
        return bare if self.version is None else f"{bare}.{self.version}"


def segment(text: str) -> str:
    """One path component, quoted except for `!`, which no client of iManage encodes."""
    if not text or text == "." or len(text) > MAX_ID or _UNSAFE.search(text) or not text.isprintable():
        raise BadId(text)
    return quote(text, safe="!")


def library_of(object_id: str) -> str:
    """The library that an object's id names, which is also the one its path needs."""
    library, mark, number = object_id.rpartition("!")
    if not (mark and library and number):
        raise BadId(object_id)
    segment(object_id)
    return library


def in_library(library: str, *parts: str) -> str:
    """A path below a library, from parts that are ids or fixed words."""
    return "/".join(["libraries", segment(library), *map(segment, parts)])


def of_object(kind: str, object_id: str, *parts: str) -> str:
    """A path below one object, such as `libraries/Active/folders/Active!7/children`."""
    return in_library(library_of(object_id), kind, object_id, *parts)
