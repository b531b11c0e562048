"""Make stored files documents of a matter, or next versions of documents, in a few statements however many they are.

`plan` reads and locks everything that has to be known, `write` writes it, and `land` does both for one file.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from models import Document, Matter, Version, db, new_id, utcnow
from services.core.errors import ConflictError
from services.core.text.file_names import adapt, search_key
from services.matters.naming import free_names


@dataclass(frozen=True)
class Landing:
    """Stored bytes that become a new document of a matter, or the next version of `document_id`.

    `file_name` fits any disk (file_names.adapt). `becomes_current` concerns next versions: the first version of a new
    document is always current.
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


@dataclass(frozen=True)
class Landed:
    """The version that a file became."""

    document_id: uuid.UUID
    document_name: str
    version_id: uuid.UUID
    number: int


@dataclass(frozen=True)
class Plan:
    """The versions that several files become, in their order, and the rows to write."""

    landed: Sequence[Landed]
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
_LOCK_MATTERS = (
    select(Matter.id).where(Matter.id.in_(_IDS)).order_by(Matter.id).with_for_update(key_share=True)
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
    select(Document.id, Document.matter_id, Document.name, _LAST.label("last"))
    .where(Document.id.in_(_IDS))
    .order_by(Document.id)
    .with_for_update(key_share=True, of=Document)
)


def land(
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
) -> Landed:
    """Make one stored file a new document, or the next version of `document_id`; it becomes the current version.

    For use inside the caller's unit of work, which also records the audit event. A new document whose name is taken
    gets a number: `Lease (2).docx`. Raises ConflictError where the matter or the document is gone.
    """
    writing.flush()
    landing = Landing(
        matter_id, member_id, adapt(file_name).full, sha256, size, note, document_id, origin=origin
    )
    planned = plan(writing.connection(), [landing])
    write(writing.connection(), planned)
    return planned.landed[0]


def plan(reading: Connection, landings: Sequence[Landing]) -> Plan:
    """For use inside the caller's unit of work. No two landings may be for the same document.

    Matters are locked before documents, both in the order of their ids. Raises ConflictError where one is gone.
    """
    now, matters = utcnow(), {landing.matter_id for landing in landings}
    if not landings:
        return Plan((), (), (), matters, now)
    if len(reading.execute(_LOCK_MATTERS, {"ids": list(matters)}).all()) < len(matters):
        raise ConflictError("This matter no longer exists.", code="matter.gone")
    next_versions = _as_next_versions(reading, landings)
    new = _as_documents(reading, landings)
    landed = next_versions | new
    versions = [
        {
            "id": landed[index].version_id,
            "document_id": landed[index].document_id,
            "number": landed[index].number,
            "sha256": landing.sha256,
            "size": landing.size,
            "file_name": landing.file_name,
            "origin": landing.origin,
            "note": landing.note,
            "created_by_id": landing.member_id,
            "created_at": now,
        }
        for index, landing in enumerate(landings)
    ]
    shown = [
        landed[index].version_id
        for index, landing in enumerate(landings)
        if landing.becomes_current or landing.document_id is None
    ]
    return Plan(
        [landed[index] for index in range(len(landings))], _rows(landings, new), versions, matters, now, shown
    )


def write(writing: Connection, plan: Plan) -> None:
    """Write the rows, in the unit of work in which they were planned."""
    if not plan.landed:
        return
    writing.execute(_CHANGE_MATTERS, {"ids": list(plan.matters), "now": plan.now})
    if plan.documents:
        writing.execute(_ADD_DOCUMENTS, plan.documents)
    writing.execute(_ADD_VERSIONS, plan.versions)
    if plan.shown:
        writing.execute(_SHOW_VERSIONS, {"ids": plan.shown, "now": plan.now})


def _as_next_versions(reading: Connection, landings: Sequence[Landing]) -> dict[int, Landed]:
    wanted = {
        landing.document_id: (index, landing.matter_id)
        for index, landing in enumerate(landings)
        if landing.document_id is not None
    }
    if not wanted:
        return {}
    rows = reading.execute(_LOCK_DOCUMENTS, {"ids": list(wanted)}).all()
    found = {
        wanted[row.id][0]: Landed(row.id, row.name, new_id(), (row.last or 0) + 1)
        for row in rows
        if row.matter_id == wanted[row.id][1]
    }
    if len(found) < len(wanted):
        raise ConflictError("This document is no longer in the matter.", code="document.gone")
    return found


def _as_documents(reading: Connection, landings: Sequence[Landing]) -> dict[int, Landed]:
    new = [(index, landing) for index, landing in enumerate(landings) if landing.document_id is None]
    if not new:
        return {}
    wanted: defaultdict[uuid.UUID, list[str]] = defaultdict(list)
    for _, landing in new:
        wanted[landing.matter_id].append(landing.file_name)
    names = {matter_id: iter(given) for matter_id, given in free_names(reading, wanted).items()}
    return {index: Landed(new_id(), next(names[landing.matter_id]), new_id(), 1) for index, landing in new}


def _rows(landings: Sequence[Landing], new: Mapping[int, Landed]) -> list[dict[str, Any]]:
    return [
        {
            "id": landed.document_id,
            "matter_id": landings[index].matter_id,
            "name": landed.document_name,
            "name_key": search_key(landed.document_name),
            "created_by_id": landings[index].member_id,
        }
        for index, landed in new.items()
    ]
