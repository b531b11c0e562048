"""Orphaned matters, whose last lead was deactivated: listing them, and appointing a new lead."""

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
from services.guidance.refusals import refusal
from services.matters import participants, recycle_bin
from services.matters.row_locks import locked_matter

MAX_LISTED = 100
MAX_FOUND = 20


@dataclass(frozen=True)
class OrphanedMatter:
    """Only what a System Admin needs to find a new lead. `deleted_at`: when one in the bin is deleted for good."""

    id: uuid.UUID
    name: str
    client_number: str
    matter_number: str
    since: datetime
    people: int
    deleted_at: datetime | None


_IS_ORPHANED = Matter.orphaned_since.is_not(None)


def count(actor: Actor) -> int:
    permissions.require_admin(actor)
    return session().scalar(select(func.count()).where(_IS_ORPHANED)) or 0


def matters(actor: Actor) -> tuple[OrphanedMatter, ...]:
    """Those that have been without a lead for longest come first."""
    permissions.require_admin(actor)
    people = (
        select(func.count()).where(Participant.matter_id == Matter.id).correlate(Matter).scalar_subquery()
    )
    rows = session().execute(
        select(Matter, people)
        .where(_IS_ORPHANED)
        .order_by(Matter.orphaned_since, Matter.id)
        .limit(MAX_LISTED)
    )
    return tuple(_view(matter, count) for matter, count in rows)


def name_of(actor: Actor, matter_id: uuid.UUID) -> str:
    """The name of an orphaned matter. Raises NotFoundError for any other: System Admins may not see those."""
    return _require(actor, matter_id).name


def candidates(actor: Actor, matter_id: uuid.UUID, text: str = "") -> tuple[Person, ...]:
    """Members who match the text; without one, the firm's members who take part in the matter."""
    _require(actor, matter_id)
    if not text.strip():
        rows = session().execute(
            select(Member, Participant.role)
            .join(Participant, Participant.member_id == Member.id)
            .where(Participant.matter_id == matter_id, ~Member.is_guest, Member.is_active)
            .order_by(Participant.role, Member.name_key, Member.id)
            .limit(MAX_FOUND)
        )
        return tuple(person_of(row, role=role) for row, role in rows)
    found = directory_people.search_people(actor, text, staff_only=True, limit=MAX_FOUND)
    roles = participants.roles_of(matter_id, [person.id for person in found])
    return tuple(replace(person, role=roles.get(person.id, "")) for person in found)


def appoint(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """Make a member the lead, even one who took no part in the matter. Returns their name.

    Raises ConflictError if the matter has a lead: only they can appoint others.
    """
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        row = locked_matter(writing, matter_id, even_closed=True)
        if row.orphaned_since is None:
            raise refusal(ConflictError, "matter.led")
        member = writing.get(Member, member_id)
        if member is None or not member.is_active:
            raise NotFoundError("We could not find this member.")
        if member.is_guest:
            raise InvalidError({"member": "A guest cannot lead a matter."})
        participant = writing.get(Participant, (matter_id, member_id))
        before = participant.role if participant else ""
        if participant is None:
            writing.add(Participant(matter_id=matter_id, member_id=member_id, role="lead"))
        else:
            participant.role = "lead"
        row.orphaned_since, row.changed_at = None, utcnow()
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
    if row is None or row.orphaned_since is None:
        raise NotFoundError("We could not find this matter, or it now has a lead.")
    return row


def _view(row: Matter, people: int) -> OrphanedMatter:
    assert row.orphaned_since is not None
    return OrphanedMatter(
        row.id,
        row.name,
        row.client_number,
        row.matter_number,
        row.orphaned_since,
        people,
        row.binned_at and row.binned_at + recycle_bin.KEPT,
    )
