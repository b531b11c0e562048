"""Names of documents within a matter: one name, one document, letter case aside. Ask while the matter is locked."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from models import Document
from services.errors import Invalid
from services.file_names import numbered, same_name_key, search_key, split
from services.text import ESCAPE, like_pattern

SHARED_START = 100
_NAMED = select(Document.name).where(
    Document.matter_id == bindparam("matter_id"), Document.name_key.in_(bindparam("keys", expanding=True))
)


def require_free(writing: Session, matter_id: uuid.UUID, name: str, field: str) -> None:
    """Raises Invalid at `field` where the matter has a document of this name."""
    if same_name_key(name) in _taken(writing, matter_id, name):
        raise Invalid(
            {
                field: f"This matter already has a document named {name}. "
                "Use another name, or add a new version to it."
            }
        )


def free_name(writing: Session, matter_id: uuid.UUID, name: str) -> str:
    """The name, or the name with the first number that is free: `Lease (2).docx`. One query."""
    return _numbered(name, _taken(writing, matter_id, name))


def _numbered(name: str, taken: Collection[str]) -> str:
    free, number = name, 1
    while same_name_key(free) in taken:
        number += 1
        free = numbered(split(name), number)
    return free


def free_names(writing: Connection, matter_id: uuid.UUID, names: Sequence[str]) -> list[str]:
    """The same for several new documents of one matter. One query, and one more for each name that is taken."""
    keys = [search_key(name) for name in names]
    there = writing.scalars(_NAMED, {"matter_id": matter_id, "keys": keys})
    taken = {same_name_key(other) for other in there}
    given = []
    for name in names:
        free = name
        if same_name_key(name) in taken:
            taken |= _taken(writing, matter_id, name)
            free = _numbered(name, taken)
        taken.add(same_name_key(free))
        given.append(free)
    return given


def _taken(writing: Session | Connection, matter_id: uuid.UUID, name: str) -> set[str]:
    """The names in the matter that begin alike: those which the name or its numbered forms could meet."""
    start = like_pattern(search_key(split(name).stem)[:SHARED_START]).removeprefix("%")
    alike = writing.scalars(
        select(Document.name).where(
            Document.matter_id == matter_id, Document.name_key.like(start, escape=ESCAPE)
        )
    )
    return {same_name_key(other) for other in alike}
