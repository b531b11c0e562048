"""Adds stored files to a matter, as new documents under free names or as next versions of documents.

`plan` reads and locks everything that has to be known, `write` writes it in a few statements however many files they
are, and `add` does both for one file. Names are unique within a matter, ignoring letter case.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Uuid, bindparam, func, or_, select
from sqlalchemy.orm import Session

from models import Document, Matter, Version, db, new_id, utcnow
from services.access.participation import require_open
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.text.file_names import adapt, free_of, same_name_key, search_key, split
from services.core.text.normalise import ESCAPE, like_pattern
from services.guidance.refusals import refusal
from services.matters import visibility


@dataclass(frozen=True)
class Addition:
    """Stored bytes that become a new document of a matter, or the next version of `document_id`.

    `file_name` fits any disk (file_names.adapt). `becomes_current` concerns next versions: the first version of a new
    document is always current. Guests do not see it if it `is_held`. `is_free`: the caller has checked the name.
    """

    matter_id: uuid.UUID
    member_id: uuid.UUID
    file_name: str
    sha256: str
    size: int
    note: str = ""
    document_id: uuid.UUID | None = None
    becomes_current: bool = True
    origin: str = "imanage"
    is_held: bool = False
    is_free: bool = False


@dataclass(frozen=True)
class Added:
    """The version that a file became; `replaced_id` is the one that was current before it."""

    document_id: uuid.UUID
    document_name: str
    version_id: uuid.UUID
    number: int
    replaced_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Plan:
    """The versions that several files become, in their order, and the rows to write."""

    added: Sequence[Added]
    documents: Sequence[dict[str, Any]]
    versions: Sequence[dict[str, Any]]
    matters: Collection[uuid.UUID]
    now: datetime
    shown: Sequence[uuid.UUID] = ()
    """The versions that become current."""


_VERSIONS = db.metadata.tables[Version.__tablename__]
_DOCUMENTS = db.metadata.tables[Document.__tablename__]
_MATTERS = db.metadata.tables[Matter.__tablename__]
_IDS = bindparam("ids", expanding=True, type_=Uuid())

# Built once: building a statement costs more than running it.
_ADD_VERSIONS = _VERSIONS.insert()
_ADD_DOCUMENTS = _DOCUMENTS.insert()
_SHOW_VERSIONS = (
    _DOCUMENTS.update()
    .where(_DOCUMENTS.c.id == _VERSIONS.c.document_id, _VERSIONS.c.id.in_(_IDS))
    .values(
        current_version_id=_VERSIONS.c.id, changed_at=bindparam("now", type_=_DOCUMENTS.c.changed_at.type)
    )
)
_EXPOSE_VERSIONS = (
    _DOCUMENTS.update()
    .where(_DOCUMENTS.c.id == _VERSIONS.c.document_id, _VERSIONS.c.id.in_(_IDS))
    .where(or_(_DOCUMENTS.c.current_version_id == _VERSIONS.c.id, _DOCUMENTS.c.guest_version_id.is_(None)))
    .values(guest_version_id=_VERSIONS.c.id)
)
_LOCK_MATTERS = (
    select(Matter.id, Matter.archived_at, Matter.binned_at)
    .where(Matter.id.in_(_IDS))
    .order_by(Matter.id)
    .with_for_update(key_share=True)
)
_CHANGE_MATTERS = (
    _MATTERS.update()
    .where(_MATTERS.c.id.in_(_IDS))
    .values(changed_at=bindparam("now", type_=_MATTERS.c.changed_at.type))
)
_LAST = (
    select(func.max(Version.number))
    .where(Version.document_id == Document.id)
    .correlate(Document)
    .scalar_subquery()
)
_LOCK_DOCUMENTS = (
    select(Document.id, Document.matter_id, Document.name, Document.current_version_id, _LAST.label("last"))
    .where(Document.id.in_(_IDS))
    .order_by(Document.id)
    .with_for_update(key_share=True, of=Document)
)
_SHARED_START = 100
"""How many characters of a name are compared to find the names that it could collide with."""
_NAMED = select(Document.matter_id, Document.name).where(
    Document.matter_id.in_(bindparam("matters", expanding=True, type_=Uuid())),
    Document.name_key.in_(bindparam("keys", expanding=True)),
)


def add(
    writing: Session,
    matter_id: uuid.UUID,
    member_id: uuid.UUID,
    file_name: str,
    sha256: str,
    size: int,
    *,
    document_id: uuid.UUID | None = None,
    origin: str = "imanage",
    note: str = "",
    is_held: bool = False,
    is_free: bool = False,
) -> Added:
    """Make one stored file a new document, or the next version of `document_id`; it becomes the current version.

    For use inside the caller's unit of work, which also records the audit event. A new document whose name is taken
    gets a number: `Lease (2).docx`. Raises ConflictError where the matter or the document is gone.
    """
    writing.flush()
    addition = Addition(
        matter_id,
        member_id,
        adapt(file_name).full,
        sha256,
        size,
        note,
        document_id,
        origin=origin,
        is_held=is_held,
        is_free=is_free,
    )
    planned = plan(writing.connection(), [addition])
    write(writing.connection(), planned)
    return planned.added[0]


def plan(reading: Connection, additions: Sequence[Addition]) -> Plan:
    """For use inside the caller's unit of work. No two additions may be for the same document.

    Matters are locked before documents, both in the order of their ids. Raises ConflictError where one is gone, or a
    matter is archived or in the bin.
    """
    now, matters = utcnow(), {addition.matter_id for addition in additions}
    if not additions:
        return Plan((), (), (), matters, now)
    locked = reading.execute(_LOCK_MATTERS, {"ids": list(matters)}).all()
    if len(locked) < len(matters):
        raise refusal(ConflictError, "matter.gone")
    for matter in locked:
        require_open(matter)
    next_versions = _as_next_versions(reading, additions)
    new = _as_documents(reading, additions)
    added = next_versions | new
    versions = [
        {
            "id": added[index].version_id,
            "document_id": added[index].document_id,
            "number": added[index].number,
            "sha256": addition.sha256,
            "size": addition.size,
            "file_name": addition.file_name,
            "origin": addition.origin,
            "note": addition.note,
            "created_by_id": addition.member_id,
            "created_at": now,
            "held_at": now if addition.is_held else None,
            "held_by_id": addition.member_id if addition.is_held else None,
        }
        for index, addition in enumerate(additions)
    ]
    shown = [
        added[index].version_id
        for index, addition in enumerate(additions)
        if addition.becomes_current or addition.document_id is None
    ]
    return Plan(
        [added[index] for index in range(len(additions))],
        _rows(additions, new),
        versions,
        matters,
        now,
        shown,
    )


def write(writing: Connection, plan: Plan) -> None:
    """Write the rows, in the unit of work in which they were planned."""
    if not plan.added:
        return
    writing.execute(_CHANGE_MATTERS, {"ids": list(plan.matters), "now": plan.now})
    if plan.documents:
        writing.execute(_ADD_DOCUMENTS, plan.documents)
    writing.execute(_ADD_VERSIONS, plan.versions)
    if plan.shown:
        writing.execute(_SHOW_VERSIONS, {"ids": plan.shown, "now": plan.now})
    if exposed := [row["id"] for row in plan.versions if row["held_at"] is None]:
        writing.execute(_EXPOSE_VERSIONS, {"ids": exposed})


def require_free(writing: Session, actor: Actor, matter_id: uuid.UUID, name: str, field: str) -> None:
    """Raises InvalidError at `field` if the matter has a document of this name.

    Only documents that the actor may see count, so that no guest can find out names by trying them.
    """
    if same_name_key(name) in _taken(writing, matter_id, name, visibility.documents_of_matter(actor)):
        raise InvalidError(
            {
                field: f"This matter already has a document named {name}. "
                "Use another name, or add a new version to it."
            }
        )


def free_name(writing: Session, matter_id: uuid.UUID, name: str) -> str:
    """The name, numbered where a document of the matter has it. The caller has locked the matter."""
    return free_of(name, _taken(writing, matter_id, name))


def _as_next_versions(reading: Connection, additions: Sequence[Addition]) -> dict[int, Added]:
    wanted = {
        addition.document_id: (index, addition.matter_id)
        for index, addition in enumerate(additions)
        if addition.document_id is not None
    }
    if not wanted:
        return {}
    rows = reading.execute(_LOCK_DOCUMENTS, {"ids": list(wanted)}).all()
    found = {
        wanted[row.id][0]: Added(row.id, row.name, new_id(), (row.last or 0) + 1, row.current_version_id)
        for row in rows
        if row.matter_id == wanted[row.id][1]
    }
    if len(found) < len(wanted):
        raise refusal(ConflictError, "document.gone")
    return found


def _as_documents(reading: Connection, additions: Sequence[Addition]) -> dict[int, Added]:
    new = [(index, addition) for index, addition in enumerate(additions) if addition.document_id is None]
    if not new:
        return {}
    wanted: defaultdict[uuid.UUID, list[str]] = defaultdict(list)
    for _, addition in new:
        if not addition.is_free:
            wanted[addition.matter_id].append(addition.file_name)
    free = _free_names(reading, wanted) if wanted else {}
    names = {matter_id: iter(given) for matter_id, given in free.items()}
    return {
        index: Added(
            new_id(),
            addition.file_name if addition.is_free else next(names[addition.matter_id]),
            new_id(),
            1,
        )
        for index, addition in new
    }


def _rows(additions: Sequence[Addition], new: Mapping[int, Added]) -> list[dict[str, Any]]:
    return [
        {
            "id": added.document_id,
            "matter_id": additions[index].matter_id,
            "name": added.document_name,
            "name_key": search_key(added.document_name),
            "created_by_id": additions[index].member_id,
        }
        for index, added in new.items()
    ]


def _free_names(writing: Connection, wanted: Mapping[uuid.UUID, Sequence[str]]) -> dict[uuid.UUID, list[str]]:
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
        free = free_of(name, taken)
    taken.add(same_name_key(free))
    return free


def _taken(
    writing: Session | Connection, matter_id: uuid.UUID, name: str, *conditions: ColumnElement[bool]
) -> set[str]:
    """Names in the matter with the same beginning: all that the name or its numbered forms could collide with."""
    start = like_pattern(search_key(split(name).stem)[:_SHARED_START]).removeprefix("%")
    alike = writing.scalars(
        select(Document.name).where(
            Document.matter_id == matter_id, Document.name_key.like(start, escape=ESCAPE), *conditions
        )
    )
    return {same_name_key(other) for other in alike}
