"""The people of a matter: leads, editors and viewers, members of the firm and guests by organisation."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Invitation, Matter, Member, Participant, utcnow
from services.access import permissions
from services.access.participation import is_over, last_day
from services.access.roles import ROLES
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.pagination import Page, paginate
from services.core.unit_of_work import session, unit_of_work
from services.directory import people as directory_people
from services.directory.people import Person
from services.guidance.refusals import refusal
from services.mail import server_state
from services.matters.row_locks import locked_matter

PAGE = 50
RESULTS = 20
LAST_YEAR = 2200
FIRM = "The firm"
NO_ORGANISATION = "No organisation"


@dataclass(frozen=True)
class PersonRow:
    """A participant. `is_invited`: they cannot sign in yet.

    For guests `email` is empty, and `until` is their own alone.
    """

    id: uuid.UUID
    name: str
    email: str
    is_guest: bool
    is_active: bool
    role: str
    is_you: bool
    is_invited: bool
    until: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether their access has ended."""
        return is_over(self.until)

    @property
    def last_day(self) -> date | None:
        return last_day(self.until)


@dataclass(frozen=True)
class Group:
    organisation: str
    people: tuple[PersonRow, ...]


def of_matter(actor: Actor, matter_id: uuid.UUID, page: int = 1) -> Page[Group]:
    """The firm's own people first, then guests by organisation."""
    permissions.require_matter(actor, matter_id)
    query = (
        select(Participant)
        .join(Member, Member.id == Participant.member_id)
        .where(Participant.matter_id == matter_id)
        .order_by(Member.is_guest, Member.organisation, Member.name_key, Member.id)
    )
    found = paginate(query, page, PAGE)
    return found.with_rows(
        Group(organisation, tuple(_row(actor, participant) for participant in participants))
        for organisation, participants in groupby(
            found.rows, key=lambda participant: _organisation(participant.member)
        )
    )


def search(actor: Actor, matter_id: uuid.UUID, text: str) -> tuple[Person, ...]:
    """People found, with the role of those who are already in the matter."""
    permissions.require_manage_people(actor, matter_id)
    if not text.strip():
        return ()
    people = directory_people.search_people(actor, text, staff_only=False, limit=RESULTS)
    roles = roles_of(matter_id, [person.id for person in people])
    return tuple(replace(person, role=roles.get(person.id, "")) for person in people)


def roles_of(matter_id: uuid.UUID, member_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The roles of those members who are in the matter."""
    participants = session().execute(
        select(Participant.member_id, Participant.role).where(
            Participant.matter_id == matter_id, Participant.member_id.in_(member_ids)
        )
    )
    return {participant.member_id: participant.role for participant in participants}


def person(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> PersonRow:
    """One participant, for a lead. Raises NotFoundError if they are not in the matter."""
    permissions.require_manage_people(actor, matter_id)
    return _row(actor, require_participant(session(), matter_id, member_id))


def add(
    actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID, role: str, until: datetime | None = None
) -> str:
    """Add a member to the matter, a guest perhaps until a moment. Returns their name."""
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        member = writing.get(Member, member_id)
        if member is None or not member.is_active:
            raise NotFoundError("We could not find this person.")
        _require_role(member, role)
        require_until(member, until)
        locked_matter(writing, matter_id)
        if writing.get(Participant, (matter_id, member_id)):
            raise refusal(ConflictError, "participant.there", name=member.name)
        _require_own_link(actor, member)
        writing.add(Participant(matter_id=matter_id, member_id=member_id, role=role, until=until))
        detail = {"role": role, "guest": member.is_guest, "until": iso(until)}
        changed(actor, "participant.added", matter, member, **detail)
        return member.name


def change_role(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID, role: str) -> str:
    """Change a participant's role. Returns their name."""
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        locked_matter(writing, matter_id)
        participant = require_participant(writing, matter_id, member_id)
        _require_role(participant.member, role)
        if participant.role != role:
            if role != "lead":
                _require_another_lead(writing, participant)
            before, participant.role = participant.role, role
            changed(actor, "participant.role_changed", matter, participant.member, before=before, role=role)
        return participant.member.name


def remove(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """Remove a participant; their work in the matter stays. Returns their name."""
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        locked_matter(writing, matter_id)
        participant = require_participant(writing, matter_id, member_id)
        _require_another_lead(writing, participant)
        name = participant.member.name
        changed(actor, "participant.removed", matter, participant.member, role=participant.role)
        writing.delete(participant)
        return name


def changed(actor: Actor, action: str, matter: Matter, member: Member, **detail: Any) -> None:
    """Record a change of the people of a matter, in the open unit of work."""
    matter.changed_at = utcnow()
    subject = f"{member.name} in {matter.name}"
    audit.record(actor, action, subject, subject_id=member.id, matter_id=matter.id, **detail)


def require_participant(writing: Session, matter_id: uuid.UUID, member_id: uuid.UUID) -> Participant:
    """The row as it is now. Raises NotFoundError for a person who is not in the matter."""
    participant = writing.get(Participant, (matter_id, member_id), populate_existing=True)
    if participant is None:
        raise NotFoundError("This person is not in this matter.")
    return participant


def _require_role(member: Member, role: str) -> None:
    if role not in ROLES:
        raise InvalidError({"role": "Choose lead, editor or viewer."})
    if role == "lead" and member.is_guest:
        raise InvalidError({"role": "A guest cannot lead a matter. Choose editor or viewer."})


def require_until(member: Member, until: datetime | None) -> None:
    """Raises InvalidError unless access may end then."""
    if until is not None and not member.is_guest:
        raise InvalidError({"until": "Only a guest’s access can end on a date."})
    if is_over(until):
        raise InvalidError({"until": "Choose today or a later date."})


def end_of(day: date | None) -> datetime | None:
    """The end of the day in UTC, from which access is over. Raises InvalidError for a day too far away."""
    if day is not None and day.year > LAST_YEAR:
        raise InvalidError({"until": f"Choose a date up to the year {LAST_YEAR}."})
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day else None


def iso(until: datetime | None) -> str:
    """The moment as the audit log has it."""
    return until.isoformat(timespec="seconds") if until else ""


def _require_own_link(actor: Actor, member: Member) -> None:
    """Raises ConflictError where another lead was shown the link with which this person will join.

    With it that lead could join in their place, and see this matter, too.
    """
    if member.password_hash or server_state.is_set_up():
        return
    inviter = session().scalar(
        select(Member)
        .join(Invitation, Invitation.invited_by_id == Member.id)
        .where(
            Invitation.member_id == member.id,
            Invitation.ended_at.is_(None),
            Invitation.expires_at > utcnow(),
        )
    )
    if inviter is not None and inviter.id != actor.id and not inviter.is_admin:
        raise refusal(ConflictError, "participant.not_joined", name=member.name, inviter=inviter.name)


def _require_another_lead(writing: Session, participant: Participant) -> None:
    """The matter is locked, so that two leads cannot remove each other at the same moment."""
    leads = select(func.count()).where(
        Participant.matter_id == participant.matter_id, Participant.role == "lead"
    )
    if participant.role == "lead" and (writing.scalar(leads) or 0) < 2:
        raise refusal(ConflictError, "participant.last_lead")


def _organisation(member: Member) -> str:
    return member.organisation or (NO_ORGANISATION if member.is_guest else FIRM)


def _row(actor: Actor, participant: Participant) -> PersonRow:
    member = participant.member
    return PersonRow(
        id=member.id,
        name=member.name,
        email="" if actor.is_guest else member.email,
        is_guest=member.is_guest,
        is_active=member.is_active,
        role=participant.role,
        is_you=member.id == actor.id,
        is_invited=not member.password_hash and not actor.is_guest,
        until=participant.until if not actor.is_guest or member.id == actor.id else None,
    )
