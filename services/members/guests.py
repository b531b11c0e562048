"""Guests invited from a matter: an account without a password, a role in the matter, and a link to join."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from models import Member, Participant, new_id
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.directory import details as directory_details
from services.directory import organisations as directory_organisations
from services.directory.details import Details
from services.directory.people import Person, person_of
from services.guidance.refusals import refusal, worded
from services.mail import server_state
from services.matters import participants
from services.members import invitations
from services.members.invitations import NewInvitation, NewLink

MOST_ORGANISATIONS = 500


@dataclass(frozen=True)
class NewGuest:
    name: str
    email: str
    organisation: str
    role: str
    until: datetime | None = None


class KnownPersonError(ConflictError):
    """The address belongs to an active person, who can be added instead. `person.role`: theirs in the matter."""

    def __init__(self, person: Person) -> None:
        super().__init__(**worded("guest.known", name=person.name))
        self.person = person


def invite(actor: Actor, matter_id: uuid.UUID, new: NewGuest) -> NewLink:
    """Invite a guest into the matter. Raises InvalidError, or KnownPersonError.

    The lead sees the link only where this installation sends no email: with it they could join in the guest's place.
    """
    details = Details(new.name, new.email, new.organisation, is_guest=True).normalised()
    with unit_of_work():
        permissions.require_manage_people(actor, matter_id)
        if found := directory_details.problems(details):
            raise InvalidError(found)
        _require_unknown(matter_id, details.email)
        member = Member(id=new_id(), password_hash="")
        directory_details.write(member, details)
        audit.record(actor, "guest.added", member.name, subject_id=member.id, email=member.email)
        participants.add(actor, matter_id, member.id, new.role, new.until)
        return _link(actor, member, "invitation.made", matter_id)


def invite_again(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> NewLink:
    """Replace the link of a guest who has not joined yet. Raises ConflictError."""
    with unit_of_work():
        participants.person(actor, matter_id, member_id)
        member = session().get_one(Member, member_id, with_for_update=True, populate_existing=True)
        if member.password_hash or not member.is_guest:
            raise refusal(ConflictError, "guest.joined", name=member.name)
        elsewhere = select(func.count()).where(
            Participant.member_id == member_id, Participant.matter_id != matter_id
        )
        if not server_state.is_set_up() and session().scalar(elsewhere):
            raise refusal(ConflictError, "guest.elsewhere", name=member.name)
        return _link(actor, member, "invitation.renewed", matter_id)


def organisations(actor: Actor, matter_id: uuid.UUID) -> tuple[str, ...]:
    """The names of organisations that guests belong to, to choose from."""
    permissions.require_manage_people(actor, matter_id)
    return directory_organisations.names(MOST_ORGANISATIONS)


def _link(actor: Actor, member: Member, action: str, matter_id: uuid.UUID) -> NewLink:
    new = NewInvitation(member.email, member.name, member.organisation, is_guest=True)
    row = invitations.create_invitation(actor, new, member)
    audit.record(actor, action, row.email, subject_id=row.id, matter_id=matter_id, is_guest=True)
    link = invitations.new_link(row)
    return replace(link, link="") if link.is_mailed else link


def _require_unknown(matter_id: uuid.UUID, email: str) -> None:
    known = invitations.known(email)
    if known is None:
        if row := invitations.usable(email):
            raise InvalidError(
                {
                    "email": f"{row.invited_by} has already invited this address to Counterpart. "
                    "Add the person here when they have joined."
                }
            )
        return
    if not known.is_active:
        raise InvalidError(
            {"email": f"This is the address of {known.name}, who is deactivated. Ask a System Admin."}
        )
    role = participants.roles_of(matter_id, [known.id]).get(known.id, "")
    raise KnownPersonError(person_of(known, role=role))
