"""Unique document names within a matter, ignoring letter case. Call with the matter locked."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Uuid, bindparam, select
from sqlalchemy.orm import Session

from models import Document
from services.core.errors import InvalidError
from services.core.text.file_names import numbered, same_name_key, search_key, split
from services.core.text.normalise import ESCAPE, like_pattern

SHARED_START = 100
_NAMED = select(Document.matter_id, Document.name).where(
    Document.matter_id.in_(bindparam("matters", expanding=True, type_=Uuid())),
    Document.name_key.in_(bindparam("keys", expanding=True)),
)


def require_free(writing: Session, matter_id: uuid.UUID, name: str, field: str) -> None:
    """Raises InvalidError at `field` if the matter has a document of this name."""
    if same_name_key(name) in _taken(writing, matter_id, name):
        raise InvalidError(
            {
                field: f"This matter already has a document named {name}. "
                "Use another name, or add a new version to it."
            }
        )


def _numbered(name: str, taken: Collection[str]) -> str:
    free, number = name, 1
    while same_name_key(free) in taken:
        number += 1
        free = numbered(split(name), number)
    return free


def free_names(writing: Connection, wanted: Mapping[uuid.UUID, Sequence[str]]) -> dict[uuid.UUID, list[str]]:
    """Free names for several new documents of each matter: `Lease (2).docx` where `Lease.docx` is taken.

    One query, and one more for each name that is taken.
    """
    keys = {search_key(name) for names in wanted.values() for name in names}
    there = writing.execute(_NAMED, {"matters": list(wanted), "keys": list(keys)}).all()
    given = {}
    for matter_id, names in wanted.items():
        taken = {same_name_key(row.name) for row in there if row.matter_id == matter_id}
        given[matter_id] = [_next_free(writing, matter_id, name, taken) for name in names]
    return given


def _next_free(writing: Connection, matter_id: uuid.UUID, name: str, taken: set[str]) -> str:
    free = name
    if same_name_key(name) in taken:
        taken |= _taken(writing, matter_id, name)
        free = _numbered(name, taken)
    taken.add(same_name_key(free))
    return free


def _taken(writing: Session | Connection, matter_id: uuid.UUID, name: str) -> set[str]:
    """Names in the matter with the same beginning: all that the name or its numbered forms could collide with."""
    start = like_pattern(search_key(split(name).stem)[:SHARED_START]).removeprefix("%")
    alike = writing.scalars(
        select(Document.name).where(
            Document.matter_id == matter_id, Document.name_key.like(start, escape=ESCAPE)
        )
    )
    return {same_name_key(other) for other in alike}
