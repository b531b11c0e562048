"""Matters: a member's list, opening one, its header and its details."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from models import Document, Matter, Participant, new_id, utcnow
from services.access import participation, permissions
from services.access.participation import last_day
from services.core import audit
from services.core.actor import Actor
from services.core.pagination import Page, paginate_sorted
from services.core.text.normalise import ESCAPE, like_pattern, search_fold, search_words
from services.core.unit_of_work import session, unit_of_work
from services.matters import visibility
from services.matters.row_locks import locked_matter

PAGE = 50
SEARCH_KEY = 1500


@dataclass(frozen=True)
class MatterDetails:
    """A matter's name and numbers, as entered."""

    name: str
    client_number: str = ""
    matter_number: str = ""


@dataclass(frozen=True)
class MatterRow:
    """A matter in the list."""

    id: uuid.UUID
    name: str
    client_number: str
    matter_number: str
    documents: int
    people: int
    changed_at: datetime
    is_pinned: bool


@dataclass(frozen=True)
class MatterView:
    """The header of a matter's page, with the actor's permissions.

    `may_close`: archive, reactivate or remove it. `last_day`: of the actor's access, where it ends.
    """

    id: uuid.UUID
    name: str
    client_number: str
    matter_number: str
    documents: int
    people: int
    may_change_documents: bool
    may_remove_documents: bool
    may_manage_people: bool
    may_change_matter: bool
    may_transfer: bool
    may_close: bool
    is_archived: bool
    last_day: date | None
    may_see_twins: bool
    may_see_index: bool
    may_change_index: bool
    may_control_exposure: bool
    may_view_as: bool


def mine(
    actor: Actor, search: str = "", page: int = 1, *, archived: bool = False, sort: str = ""
) -> Page[MatterRow]:
    """The actor's matters that contain every word of `search`: open ones, or archived. Pinned ones come first, then
    those that changed last, unless they are sorted otherwise.
    """
    changed_at = visibility.changed_at(actor)
    query = (
        select(Matter, changed_at, Participant.pinned_at)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(participation.own(actor), participation.has_access(), Matter.binned_at.is_(None))
        .where(Matter.archived_at.is_not(None) if archived else Matter.archived_at.is_(None))
    )
    for word in search_words(search):
        query = query.where(Matter.search_key.like(like_pattern(word), escape=ESCAPE))
    columns = {
        "name": Matter.search_key,
        "client": Matter.client_number,
        "number": Matter.matter_number,
        "changed": changed_at,
    }
    pinned = Participant.pinned_at.is_(None)
    found = paginate_sorted(
        query, page, PAGE, search, sort, columns, "-changed", first=[pinned], last=Matter.id
    )
    ids = [matter.id for matter, _, _ in found.rows]
    documents, people = document_counts(actor, ids), counts(Participant.matter_id, ids)
    return found.with_rows(
        MatterRow(
            id=matter.id,
            name=matter.name,
            client_number=matter.client_number,
            matter_number=matter.matter_number,
            documents=documents.get(matter.id, 0),
            people=people.get(matter.id, 0),
            changed_at=changed,
            is_pinned=pinned_at is not None,
        )
        for matter, changed, pinned_at in found.rows
    )


def find(actor: Actor, matter_id: uuid.UUID) -> MatterView:
    """One matter. Raises NotFoundError, also for people who are not in it."""
    matter, participant = permissions.require_participant(actor, matter_id)
    role = participation.require_entry(actor, matter, participant)
    return MatterView(
        id=matter.id,
        name=matter.name,
        client_number=matter.client_number,
        matter_number=matter.matter_number,
        documents=document_counts(actor, [matter_id]).get(matter_id, 0),
        people=counts(Participant.matter_id, [matter_id]).get(matter_id, 0),
        may_change_documents=permissions.may_change_documents(actor, role),
        may_remove_documents=permissions.may_remove_documents(actor, role),
        may_manage_people=permissions.may_manage_people(actor, role),
        may_change_matter=permissions.may_change_matter(actor, role),
        may_transfer=permissions.may_transfer(actor, role),
        may_close=permissions.may_change_matter(actor, participant.role),
        is_archived=matter.archived_at is not None,
        last_day=last_day(participant.until),
        may_see_twins=permissions.may_see_twins(actor),
        may_see_index=permissions.may_see_index(actor),
        may_change_index=permissions.may_change_index(actor, role),
        may_control_exposure=permissions.may_control_exposure(actor, role),
        may_view_as=permissions.may_view_as(actor, role),
    )


def create(actor: Actor, details: MatterDetails) -> uuid.UUID:
    """Open a matter. The actor becomes its lead."""
    permissions.require_create_matters(actor)
    with unit_of_work() as writing:
        matter = Matter(id=new_id(), created_by_id=actor.id)
        _describe(matter, details)
        writing.add(matter)
        writing.flush()
        writing.add(Participant(matter_id=matter.id, member_id=actor.id, role="lead"))
        audit.record(
            actor,
            "matter.created",
            details.name,
            subject_id=matter.id,
            matter_id=matter.id,
            client_number=details.client_number,
            matter_number=details.matter_number,
        )
        return matter.id


def rename(actor: Actor, matter_id: uuid.UUID, details: MatterDetails) -> None:
    """Change a matter's name or numbers."""
    with unit_of_work():
        matter = permissions.require_change_matter(actor, matter_id)
        before = MatterDetails(matter.name, matter.client_number, matter.matter_number)
        if details == before:
            return
        _describe(matter, details)
        matter.changed_at = utcnow()
        audit.record(
            actor,
            "matter.renamed",
            details.name,
            subject_id=matter.id,
            matter_id=matter.id,
            before=[before.name, before.client_number, before.matter_number],
            after=[details.name, details.client_number, details.matter_number],
        )


def archive(actor: Actor, matter_id: uuid.UUID) -> str:
    """Make a matter read-only for everybody. Its transfers stop. Returns its name."""
    return _set_archived(actor, matter_id, utcnow(), "matter.archived")


def reactivate(actor: Actor, matter_id: uuid.UUID) -> str:
    """Open an archived matter again. Returns its name."""
    return _set_archived(actor, matter_id, None, "matter.reactivated")


def pin(actor: Actor, matter_id: uuid.UUID, *, is_pinned: bool) -> str:
    """Show a matter above the others in the actor's own list, or no longer. Returns its name."""
    with unit_of_work():
        matter, participant = permissions.require_participant(actor, matter_id)
        participation.require_entry(actor, matter, participant)
        if (participant.pinned_at is not None) != is_pinned:
            participant.pinned_at = utcnow() if is_pinned else None
            action = "matter.pinned" if is_pinned else "matter.unpinned"
            audit.record(actor, action, matter.name, subject_id=matter.id, matter_id=matter.id)
        return matter.name


def _set_archived(actor: Actor, matter_id: uuid.UUID, at: datetime | None, action: str) -> str:
    with unit_of_work() as writing:
        permissions.require_matter(actor, matter_id)
        permissions.require_lead(actor, matter_id)
        matter = locked_matter(writing, matter_id, even_closed=True)
        if (matter.archived_at is None) != (at is None):
            matter.archived_at = at
            audit.record(actor, action, matter.name, subject_id=matter.id, matter_id=matter.id)
        return matter.name


def _describe(matter: Matter, details: MatterDetails) -> None:
    matter.name = details.name
    matter.client_number = details.client_number
    matter.matter_number = details.matter_number
    matter.search_key = search_fold(f"{details.name} {details.client_number} {details.matter_number}")[
        :SEARCH_KEY
    ]


def document_counts(actor: Actor, ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of documents that the actor may see in each of their matters. One query."""
    return counts(Document.matter_id, ids, visibility.documents_of_matter(actor))


def counts(
    column: InstrumentedAttribute[uuid.UUID], ids: list[uuid.UUID], *conditions: ColumnElement[bool]
) -> dict[uuid.UUID, int]:
    """The number of rows of each matter. One query."""
    rows = session().execute(
        select(column, func.count()).where(column.in_(ids), *conditions).group_by(column)
    )
    return {row[0]: row[1] for row in rows}
