"""Matters: a member's list, opening one, its header and its details."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from models import Document, Matter, Participant, new_id, utcnow
from services.access import participation, permissions
from services.core import audit
from services.core.actor import Actor
from services.core.pagination import Page, paginate
from services.core.text.normalise import ESCAPE, like_pattern, search_fold, search_words
from services.core.unit_of_work import session, unit_of_work

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


@dataclass(frozen=True)
class MatterView:
    """The header of a matter's page, with the actor's permissions."""

    id: uuid.UUID
    name: str
    client_number: str
    matter_number: str
    documents: int
    people: int
    may_change_documents: bool
    may_manage_people: bool
    may_change_matter: bool
    may_transfer: bool


def mine(actor: Actor, search: str = "", page: int = 1) -> Page[MatterRow]:
    """The actor's matters that contain every word of `search`, most recently changed first."""
    query = (
        select(Matter)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(Participant.member_id == actor.id, participation.has_access(), Matter.binned_at.is_(None))
        .order_by(Matter.changed_at.desc(), Matter.id)
    )
    for word in search_words(search):
        query = query.where(Matter.search_key.like(like_pattern(word), escape=ESCAPE))
    found = paginate(query, page, PAGE, search)
    ids = [matter.id for matter in found.rows]
    documents, people = _counts(Document.matter_id, ids), _counts(Participant.matter_id, ids)
    return found.with_rows(
        MatterRow(
            id=matter.id,
            name=matter.name,
            client_number=matter.client_number,
            matter_number=matter.matter_number,
            documents=documents.get(matter.id, 0),
            people=people.get(matter.id, 0),
            changed_at=matter.changed_at,
        )
        for matter in found.rows
    )


def find(actor: Actor, matter_id: uuid.UUID) -> MatterView:
    """One matter. Raises NotFoundError, also for people who are not in it."""
    matter, role = permissions.require_matter(actor, matter_id)
    return MatterView(
        id=matter.id,
        name=matter.name,
        client_number=matter.client_number,
        matter_number=matter.matter_number,
        documents=_counts(Document.matter_id, [matter_id]).get(matter_id, 0),
        people=_counts(Participant.matter_id, [matter_id]).get(matter_id, 0),
        may_change_documents=permissions.may_change_documents(actor, role),
        may_manage_people=permissions.may_manage_people(actor, role),
        may_change_matter=permissions.may_change_matter(actor, role),
        may_transfer=permissions.may_transfer(actor, role),
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


def _describe(matter: Matter, details: MatterDetails) -> None:
    matter.name = details.name
    matter.client_number = details.client_number
    matter.matter_number = details.matter_number
    matter.search_key = search_fold(f"{details.name} {details.client_number} {details.matter_number}")[
        :SEARCH_KEY
    ]


def _counts(column: InstrumentedAttribute[uuid.UUID], ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of rows of each matter. One query."""
    rows = session().execute(select(column, func.count()).where(column.in_(ids)).group_by(column))
    return {row[0]: row[1] for row in rows}
