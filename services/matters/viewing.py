"""View as: a member sees a matter exactly as one of its guests does, until they leave or their session ends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import select

from models import Member, Participant
from services.access import permissions
from services.auth import sessions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.matters.exposure import NO_ORGANISATION


@dataclass(frozen=True)
class GuestChoice:
    id: uuid.UUID
    name: str
    role: str


@dataclass(frozen=True)
class OrganisationChoice:
    """An organisation with its guests in the matter, viewers first; without an id, the guests who have none."""

    id: uuid.UUID | None
    name: str
    guests: tuple[GuestChoice, ...]


def choices(actor: Actor, matter_id: uuid.UUID) -> list[OrganisationChoice]:
    """As whom the matter can be viewed. One query."""
    permissions.require_view_as(actor, matter_id)
    rows = session().execute(
        select(Member.id, Member.name, Member.organisation, Member.organisation_id, Participant.role)
        .join(Participant, Participant.member_id == Member.id)
        .where(Participant.matter_id == matter_id, Member.is_guest, Member.is_active)
        .order_by(Member.organisation, Member.organisation_id, Participant.role.desc(), Member.name_key)
    )
    return [
        OrganisationChoice(
            id, name or NO_ORGANISATION, tuple(GuestChoice(row.id, row.name, row.role) for row in of_one)
        )
        for (id, name), of_one in groupby(rows, key=lambda row: (row.organisation_id, row.organisation))
    ]


def as_seen(person: Actor) -> Actor:
    """The guest as whom a signed-in member views a matter; the member, where there is none or no longer.

    The member must still be one who may, and the guest still in the matter.
    """
    if person.viewed_as_id is None or person.viewed_matter_id is None:
        return person
    guest = _guest(person.viewed_matter_id, person.viewed_as_id)
    role = permissions.role_in(person, person.viewed_matter_id)
    if guest is None or not permissions.may_view_as(person, role):
        return replace(person, viewed_as_id=None, viewed_matter_id=None)
    return Actor(
        id=guest.id,
        name=guest.name,
        email=guest.email,
        is_guest=True,
        organisation_id=guest.organisation_id,
        session_id=person.session_id,
        address=person.address,
        request_id=person.request_id,
        viewed_as_id=guest.id,
        viewed_matter_id=person.viewed_matter_id,
        viewer=person,
    )


def start(actor: Actor, matter_id: uuid.UUID, guest_id: uuid.UUID) -> str:
    """View a matter as a guest. Returns their name."""
    with unit_of_work():
        matter = permissions.require_view_as(actor, matter_id)
        guest = _guest(matter_id, guest_id)
        if guest is None or actor.session_id is None:
            raise NotFoundError("We could not find this person.")
        sessions.view_as(actor.session_id, guest.id, matter_id)
        _record(actor, "view_as.started", guest, matter.name, matter_id)
        return guest.name


def start_as_organisation(actor: Actor, matter_id: uuid.UUID, organisation_id: uuid.UUID) -> str:
    """View a matter as an organisation: as one of its guests there, a viewer rather than an editor."""
    with unit_of_work():
        guests = [each.guests[0].id for each in choices(actor, matter_id) if each.id == organisation_id]
        return start(actor, matter_id, guests[0] if guests else uuid.UUID(int=0))


def leave(actor: Actor) -> uuid.UUID | None:
    """Back to the own view of the member. Returns the matter that was viewed; None where none was."""
    if actor.viewer is None or actor.session_id is None or actor.viewed_matter_id is None:
        return None
    with unit_of_work() as writing:
        sessions.view_as(actor.session_id, None, None)
        guest = writing.get_one(Member, actor.id)
        _record(actor.viewer, "view_as.left", guest, "", actor.viewed_matter_id)
    return actor.viewed_matter_id


def _guest(matter_id: uuid.UUID, member_id: uuid.UUID) -> Member | None:
    """An active guest of the matter."""
    participant = session().get(Participant, (matter_id, member_id))
    guest = participant.member if participant else None
    return guest if guest and guest.is_guest and guest.is_active else None


def _record(actor: Actor, action: str, guest: Member, matter: str, matter_id: uuid.UUID) -> None:
    audit.record(actor, action, guest.name, subject_id=guest.id, matter_id=matter_id, matter=matter)
