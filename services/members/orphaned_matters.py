"""Matters that nobody leads any more, because their last lead was deactivated: listed, and given a new lead."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from models import Matter, Member, Participant, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.directory import people as directory_people
from services.directory.people import Person, person_of
from services.matters import participants
from services.matters.row_locks import locked_matter

MOST_LISTED = 100
MOST_FOUND = 20


@dataclass(frozen=True)
class OrphanedMatter:
    """No more of a matter than a System Admin needs to find somebody who knows it."""

    id: uuid.UUID
    name: str
    client_number: str
    matter_number: str
    since: datetime
    people: int


_WITHOUT_A_LEAD = Matter.leaderless_since.is_not(None)


def how_many(actor: Actor) -> int:
    permissions.require_admin(actor)
    return session().scalar(select(func.count()).where(_WITHOUT_A_LEAD)) or 0


def matters(actor: Actor) -> tuple[OrphanedMatter, ...]:
    """Those that have been without a lead for longest, first."""
    permissions.require_admin(actor)
    people = (
        select(func.count()).where(Participant.matter_id == Matter.id).correlate(Matter).scalar_subquery()
    )
    rows = session().execute(
        select(Matter, people)
        .where(_WITHOUT_A_LEAD)
        .order_by(Matter.leaderless_since, Matter.id)
        .limit(MOST_LISTED)
    )
    return tuple(_view(matter, count) for matter, count in rows)


def name_of(actor: Actor, matter_id: uuid.UUID) -> str:
    """The name of one of them. Raises NotFoundError for every other matter: it is its people's affair."""
    return _require(actor, matter_id).name


def possible(actor: Actor, matter_id: uuid.UUID, text: str = "") -> tuple[Person, ...]:
    """Members who are found by the text; without one, those of the firm who take part in it."""
    _require(actor, matter_id)
    if not text.strip():
        rows = session().execute(
            select(Member, Participant.role)
            .join(Participant, Participant.member_id == Member.id)
            .where(Participant.matter_id == matter_id, ~Member.is_guest, Member.is_active)
            .order_by(Participant.role, Member.name_key, Member.id)
            .limit(MOST_FOUND)
        )
        return tuple(person_of(row, role=role) for row, role in rows)
    found = directory_people.search_people(actor, text, staff_only=True, limit=MOST_FOUND)
    roles = participants.roles_of(matter_id, [person.id for person in found])
    return tuple(replace(person, role=roles.get(person.id, "")) for person in found)


def appoint(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """Make somebody its lead, also who took no part in it. Says his name. Once it has a lead, that is his to do."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        row = locked_matter(writing, matter_id)
        if row.leaderless_since is None:
            raise ConflictError(
                "This matter has a lead again.",
                code="matter.led",
                next_step="Ask the lead of the matter, who can make others a lead.",
            )
        member = writing.get(Member, member_id)
        if member is None or not member.is_active:
            raise NotFoundError("We could not find this member.")
        if member.is_guest:
            raise InvalidError({"member": "A guest cannot lead a matter."})
        place = writing.get(Participant, (matter_id, member_id))
        before = place.role if place else ""
        if place is None:
            writing.add(Participant(matter_id=matter_id, member_id=member_id, role="lead"))
        else:
            place.role = "lead"
        row.leaderless_since, row.changed_at = None, utcnow()
        audit.record(
            actor,
            "participant.appointed",
            f"{member.name} in {row.name}",
            subject_id=member_id,
            matter_id=matter_id,
            before=before,
            role="lead",
        )
        return member.name


def _require(actor: Actor, matter_id: uuid.UUID) -> Matter:
    permissions.require_admin(actor)
    row = session().get(Matter, matter_id)
    if row is None or row.leaderless_since is None:
        raise NotFoundError("There is no matter without a lead at this address. It may have one again.")
    return row


def _view(row: Matter, people: int) -> OrphanedMatter:
    assert row.leaderless_since is not None
    return OrphanedMatter(
        row.id, row.name, row.client_number, row.matter_number, row.leaderless_since, people
    )
