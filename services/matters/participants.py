"""The people of a matter: leads, editors and viewers, members of the firm and guests by organisation."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Matter, Member, Participant, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.pagination import Page, paginate
from services.core.unit_of_work import session, unit_of_work
from services.directory import people as directory_people
from services.directory.people import Person
from services.guidance.refusals import refusal
from services.matters.row_locks import locked_matter

PAGE = 50
RESULTS = 20
ROLES = ("lead", "editor", "viewer")
FIRM = "The firm"
NO_ORGANISATION = "No organisation"


@dataclass(frozen=True)
class PersonRow:
    """A participant. `email` is empty if the actor is a guest."""

    id: uuid.UUID
    name: str
    email: str
    is_guest: bool
    is_active: bool
    role: str
    is_you: bool


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
    return _row(actor, _require_participant(session(), matter_id, member_id))


def add(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID, role: str) -> str:
    """Add a member to the matter. Returns their name."""
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        member = writing.get(Member, member_id)
        if member is None or not member.is_active:
            raise NotFoundError("We could not find this person.")
        _require_role(member, role)
        locked_matter(writing, matter_id)
        if writing.get(Participant, (matter_id, member_id)):
            raise refusal(ConflictError, "participant.there", name=member.name)
        writing.add(Participant(matter_id=matter_id, member_id=member_id, role=role))
        _changed(actor, "participant.added", matter, member, role=role, guest=member.is_guest)
        return member.name


def change_role(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID, role: str) -> str:
    """Change a participant's role. Returns their name."""
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        locked_matter(writing, matter_id)
        participant = _require_participant(writing, matter_id, member_id)
        _require_role(participant.member, role)
        if participant.role != role:
            if role != "lead":
                _require_another_lead(writing, participant)
            before, participant.role = participant.role, role
            _changed(actor, "participant.role_changed", matter, participant.member, before=before, role=role)
        return participant.member.name


def remove(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """Remove a participant; their work in the matter stays. Returns their name."""
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        locked_matter(writing, matter_id)
        participant = _require_participant(writing, matter_id, member_id)
        _require_another_lead(writing, participant)
        name = participant.member.name
        _changed(actor, "participant.removed", matter, participant.member, role=participant.role)
        writing.delete(participant)
        return name


def _changed(actor: Actor, action: str, matter: Matter, member: Member, **detail: Any) -> None:
    matter.changed_at = utcnow()
    subject = f"{member.name} in {matter.name}"
    audit.record(actor, action, subject, subject_id=member.id, matter_id=matter.id, **detail)


def _require_participant(writing: Session, matter_id: uuid.UUID, member_id: uuid.UUID) -> Participant:
    participant = writing.get(Participant, (matter_id, member_id), populate_existing=True)
    if participant is None:
        raise NotFoundError("This person is not in this matter.")
    return participant


def _require_role(member: Member, role: str) -> None:
    if role not in ROLES:
        raise InvalidError({"role": "Choose lead, editor or viewer."})
    if role == "lead" and member.is_guest:
        raise InvalidError({"role": "A guest cannot lead a matter. Choose editor or viewer."})


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
    )
