"""The closing index of a matter: numbered documents under headings, present or to follow. For members only."""

from __future__ import annotations

import hashlib
import json
import tempfile
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from models import Document, IndexRow, Matter, Version, utcnow
from sandbox import process
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from services.core.text.csv import csv_text
from services.core.text.file_names import split
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.refusals import refusal
from services.matters.row_locks import locked_matter

MOST = 500
LONGEST_TITLE = 300
TO_FOLLOW = "To follow"


@dataclass(frozen=True)
class Entry:
    """A row. `number`: A, B, … for headings, and 1, 2, … through all of the index for the others.

    `name`, `version` and `at` are of the document's current version; without a name the document is to follow."""

    id: uuid.UUID
    number: str
    title: str
    is_heading: bool
    document_id: uuid.UUID | None
    name: str
    version: int | None
    at: datetime | None


@dataclass(frozen=True)
class ClosingIndex:
    """`key` is a digest of the order. `missing`: how many documents of the matter are not in the index."""

    entries: tuple[Entry, ...]
    key: str
    missing: int
    may_change: bool

    def before_up(self, at: int) -> uuid.UUID | None:
        """The row before which the row at this position goes when it is moved up; None for the first."""
        return self.entries[at - 1].id if at else None

    def before_down(self, at: int) -> uuid.UUID | str | None:
        """The same for down: empty for the end of the index, None for the last row."""
        if at + 1 >= len(self.entries):
            return None
        return self.entries[at + 2].id if at + 2 < len(self.entries) else ""


@dataclass(frozen=True)
class EntryCommand:
    """What a row is to say. `document_id` is None for a heading, and for a document that is to follow."""

    title: str
    is_heading: bool
    document_id: uuid.UUID | None


def read(actor: Actor, matter_id: uuid.UUID) -> ClosingIndex:
    _, role = permissions.require_see_index(actor, matter_id)
    rows = session().execute(
        select(IndexRow, Document.name, Version.number, Version.created_at)
        .outerjoin(Document, and_(Document.id == IndexRow.document_id, Document.matter_id == matter_id))
        .outerjoin(Version, Version.id == Document.current_version_id)
        .where(IndexRow.matter_id == matter_id)
        .order_by(IndexRow.position, IndexRow.id)
    )
    entries, headings, documents = [], 0, 0
    for row, name, version, at in rows:
        if row.is_heading:
            headings += 1
        else:
            documents += 1
        number = _letters(headings) if row.is_heading else str(documents)
        document_id = row.document_id if name else None
        entries.append(Entry(row.id, number, row.title, row.is_heading, document_id, name or "", version, at))
    missing = session().scalar(
        select(func.count())
        .select_from(Document)
        .where(Document.matter_id == matter_id, _not_in_index(matter_id))
    )
    return ClosingIndex(
        tuple(entries),
        _key(entry.id for entry in entries),
        missing or 0,
        permissions.may_change_index(actor, role),
    )


def choices(
    actor: Actor, matter_id: uuid.UUID, chosen: uuid.UUID | None = None
) -> list[tuple[uuid.UUID, str]]:
    """Documents that a row can name, by name: those that no row has, and the one that this row has."""
    permissions.require_change_index(actor, matter_id)
    query = select(Document.id, Document.name).order_by(Document.name_key, Document.id).limit(1000)
    found = [
        (each, name)
        for each, name in session().execute(
            query.where(Document.matter_id == matter_id, _not_in_index(matter_id))
        )
    ]
    own = select(Document.id, Document.name).where(Document.id == chosen, Document.matter_id == matter_id)
    return [(each, name) for each, name in session().execute(own)] + found if chosen else found


def find(actor: Actor, row_id: uuid.UUID) -> IndexRow:
    """A row, for those who may change it. Raises NotFoundError."""
    row = session().get(IndexRow, row_id)
    if row is None:
        raise NotFoundError("We could not find this row.")
    permissions.require_change_index(actor, row.matter_id)
    return row


def add(actor: Actor, matter_id: uuid.UUID, command: EntryCommand) -> None:
    """Add a row at the end."""
    with unit_of_work() as writing:
        last = _locked(writing, actor, matter_id, adding=1)
        row = IndexRow(matter_id=matter_id, position=last + 1, is_heading=command.is_heading)
        _fill(writing, row, command)
        writing.add(row)
        _record(actor, matter_id, added=row.title)


def add_documents(actor: Actor, matter_id: uuid.UUID, ids: Collection[uuid.UUID] | None = None) -> int:
    """Add those of the documents that are not in the index, or all, by name. Returns how many."""
    with unit_of_work() as writing:
        permissions.require_change_index(actor, matter_id)
        query = select(Document.id, Document.name).where(
            Document.matter_id == matter_id, _not_in_index(matter_id)
        )
        if ids is not None:
            query = query.where(Document.id.in_(ids))
        found = writing.execute(query.order_by(Document.name_key, Document.id).limit(MOST + 1)).all()
        last = _locked(writing, actor, matter_id, adding=len(found))
        for number, (document_id, name) in enumerate(found, start=last + 1):
            title = split(name).stem[:LONGEST_TITLE]
            writing.add(IndexRow(matter_id=matter_id, position=number, title=title, document_id=document_id))
        if found:
            _record(actor, matter_id, added=f"{len(found)} documents" if len(found) > 1 else found[0][1])
        return len(found)


def change(actor: Actor, row_id: uuid.UUID, command: EntryCommand) -> None:
    """A row stays what it is: a heading, or not."""
    matter_id = find(actor, row_id).matter_id
    with unit_of_work() as writing:
        _locked(writing, actor, matter_id)
        row = _present(writing, matter_id, row_id)
        before = row.title
        _fill(writing, row, command)
        _record(actor, matter_id, before=before, after=row.title)


def remove(actor: Actor, row_id: uuid.UUID) -> str:
    """Remove a row, not its document. Returns its title."""
    matter_id = find(actor, row_id).matter_id
    with unit_of_work() as writing:
        _locked(writing, actor, matter_id)
        row = _present(writing, matter_id, row_id)
        title = row.title
        writing.delete(row)
        _record(actor, matter_id, removed=title)
        return title


def move(actor: Actor, matter_id: uuid.UUID, row_id: uuid.UUID, before: uuid.UUID | None, seen: str) -> None:
    """Move a row before another one, or to the end. Raises ConflictError where the order is not the one `seen`."""
    with unit_of_work() as writing:
        _locked(writing, actor, matter_id)
        rows = list(
            writing.scalars(
                select(IndexRow)
                .where(IndexRow.matter_id == matter_id)
                .order_by(IndexRow.position, IndexRow.id)
                .execution_options(populate_existing=True)
            )
        )
        if _key(row.id for row in rows) != seen:
            raise refusal(ConflictError, "closing_index.changed")
        by_id = {row.id: row for row in rows}
        if row_id not in by_id or (before is not None and before not in by_id):
            raise refusal(ConflictError, "closing_index.gone")
        if before == row_id:
            return
        moved = by_id[row_id]
        rows.remove(moved)
        rows.insert(rows.index(by_id[before]) if before else len(rows), moved)
        for position, row in enumerate(rows, start=1):
            row.position = position
        _record(actor, matter_id, moved=moved.title, to=rows.index(moved) + 1)


def as_csv(actor: Actor, matter_id: uuid.UUID) -> str:
    header = ("number", "title", "document", "version", "added at")
    return csv_text(
        header,
        (
            (
                entry.number,
                entry.title,
                entry.name or ("" if entry.is_heading else TO_FOLLOW),
                entry.version or "",
                entry.at.isoformat(timespec="seconds") if entry.at else "",
            )
            for entry in read(actor, matter_id).entries
        ),
    )


def as_pdf(actor: Actor, matter_id: uuid.UUID) -> bytes:
    matter, _ = permissions.require_see_index(actor, matter_id)
    printed = {
        "matter": matter.name,
        "client_number": matter.client_number,
        "matter_number": matter.matter_number,
        "printed": f"{utcnow():%d %B %Y, %H:%M} UTC",
        "rows": [
            {
                "number": entry.number,
                "title": entry.title,
                "is_heading": entry.is_heading,
                "document": f"{entry.name}, version {entry.version}" if entry.name else TO_FOLLOW,
            }
            for entry in read(actor, matter_id).entries
        ],
    }
    release()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(printed).encode())
            file.flush()
            return process.run("print_index", [file])
    except process.SandboxError as error:
        raise refusal(RefusedError, "closing_index.not_printed") from error


def _locked(writing: Session, actor: Actor, matter_id: uuid.UUID, adding: int = 0) -> int:
    """Lock the index by its matter; returns the last position. Raises RefusedError if so many rows do not fit."""
    permissions.require_change_index(actor, matter_id)
    locked_matter(writing, matter_id)
    if not adding:
        return 0
    query = select(func.count(), func.max(IndexRow.position)).where(IndexRow.matter_id == matter_id)
    count, last = writing.execute(query).one()
    if count + adding > MOST:
        raise refusal(RefusedError, "closing_index.full", most=MOST)
    return last or 0


def _present(writing: Session, matter_id: uuid.UUID, row_id: uuid.UUID) -> IndexRow:
    row = writing.get(IndexRow, row_id, populate_existing=True)
    if row is None or row.matter_id != matter_id:
        raise refusal(ConflictError, "closing_index.gone")
    return row


def _fill(writing: Session, row: IndexRow, command: EntryCommand) -> None:
    name = ""
    document_id = None if row.is_heading else command.document_id
    if document_id is not None and document_id != row.document_id:
        query = select(Document.name).where(
            Document.matter_id == row.matter_id, _not_in_index(row.matter_id), Document.id == document_id
        )
        name = writing.scalar(query) or ""
        if not name:
            raise InvalidError({"document": "This document is already in the index, or has left the matter."})
    title = command.title or split(name).stem[:LONGEST_TITLE]
    if not title:
        raise InvalidError({"title": "Enter a title."})
    row.title, row.document_id = title, document_id


def _not_in_index(matter_id: uuid.UUID) -> ColumnElement[bool]:
    named = select(IndexRow.document_id).where(
        IndexRow.matter_id == matter_id, IndexRow.document_id.is_not(None)
    )
    return Document.id.not_in(named)


def _record(actor: Actor, matter_id: uuid.UUID, **detail: Any) -> None:
    name = session().get_one(Matter, matter_id).name
    audit.record(actor, "closing_index.changed", name, subject_id=matter_id, matter_id=matter_id, **detail)


def _key(ids: Iterable[uuid.UUID]) -> str:
    return hashlib.sha256(b"".join(each.bytes for each in ids)).hexdigest()[:32]


def _letters(number: int) -> str:
    """1 as A, 26 as Z, 27 as AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
