"""When the access of a guest ends: changed by a lead, and told to the leads a week before."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import select

from models import Mail, Matter, Member, Participant, utcnow
from services.access import permissions
from services.access.participation import is_over, last_day
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work
from services.mail import outbox
from services.mail.messages import NotToBeSentError, new_message
from services.matters import participants
from services.matters.row_locks import locked_matter

BEFORE = timedelta(days=7)
"""How long before the end the leads are told."""
KIND = "access_ends"
BATCH = 100


def change(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID, until: datetime | None) -> str:
    """Let a guest's access end at a moment, or never. Returns their name. Raises InvalidError."""
    return _set(actor, matter_id, member_id, until, is_end=False)


def end_now(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """End a guest's access. They stay among the people of the matter. Returns their name."""
    return _set(actor, matter_id, member_id, utcnow(), is_end=True)


def _set(
    actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID, until: datetime | None, *, is_end: bool
) -> str:
    with unit_of_work() as writing:
        matter = permissions.require_manage_people(actor, matter_id)
        locked_matter(writing, matter_id)
        participant = participants.require_participant(writing, matter_id, member_id)
        member, before = participant.member, participant.until
        if not is_end or not member.is_guest:
            participants.require_until(member, until)
        participant.until = until
        # A lead who chooses a near date needs no reminder of it.
        participant.reminded_at = utcnow() if until is not None and until <= utcnow() + BEFORE else None
        participants.changed(
            actor,
            "participant.until_changed",
            matter,
            member,
            before=participants.iso(before),
            until=participants.iso(until),
        )
        return member.name


def remind_leads() -> None:
    """A duty of the worker: queue emails about accesses that end within a week."""
    now = utcnow()
    ending = (
        select(Participant)
        .join(Matter, Matter.id == Participant.matter_id)
        .where(
            Participant.until > now,
            Participant.until <= now + BEFORE,
            Participant.reminded_at.is_(None),
            Matter.binned_at.is_(None),
        )
        .limit(BATCH)
    )
    if session().scalar(ending.with_only_columns(Participant.member_id).limit(1)) is None:
        return
    with unit_of_work() as writing:
        for participant in writing.scalars(ending.with_for_update(of=Participant, skip_locked=True)):
            participant.reminded_at = now
            leads = select(Participant.member_id).where(
                Participant.matter_id == participant.matter_id, Participant.role == "lead"
            )
            outbox.queue_once(
                KIND, writing.scalars(leads), f"{participant.matter_id} {participant.member_id}"
            )


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """The email to one lead about one guest. Raises NotToBeSentError."""
    mail = session().get_one(Mail, mail_id)
    matter_id, guest_id = map(uuid.UUID, mail.about.split())
    lead, matter = session().get(Member, mail.member_id), session().get(Matter, matter_id)
    guest = session().get(Participant, (matter_id, guest_id))
    reader = session().get(Participant, (matter_id, mail.member_id))
    if lead is None or not lead.is_active or matter is None or reader is None or reader.role != "lead":
        raise NotToBeSentError("The member no longer leads the matter.")
    if guest is None or guest.until is None or is_over(guest.until) or matter.binned_at is not None:
        raise NotToBeSentError("The access has ended, or no longer ends.")
    if guest.until > utcnow() + BEFORE:
        raise NotToBeSentError("The access was extended.")
    name = guest.member.name
    return new_message(
        mail_id,
        f"{name}’s access to {matter.name} ends soon",
        lead.email,
        mail.created_at,
        "access_ends",
        name=name,
        organisation=guest.member.organisation,
        matter=matter,
        day=last_day(guest.until),
    )
