"""Twins that went out of reach: the leads of the matter are told once, and choose what becomes of our copy."""

from __future__ import annotations

import uuid
from collections import defaultdict
from email.message import EmailMessage

from sqlalchemy import exists, or_, select, update

from models import Document, Link, Mail, Matter, Member, Participant, utcnow
from services.core import audit
from services.core.actor import SYSTEM, Actor
from services.core.errors import RefusedError
from services.core.text.file_names import visible
from services.core.text.normalise import clean_line
from services.core.unit_of_work import release, session, unit_of_work
from services.drift import board
from services.drift.board import DriftRow
from services.mail import outbox
from services.mail.messages import NotToBeSentError, new_message
from services.transfers.twin_states import FORBIDDEN, GONE

MAIL = "access_lost"
MOST_LISTED = 20


def tell() -> int:
    """Record every twin that went out of reach since, and queue an email to the leads of its matter. Returns how many.

    A duty of the worker. Only what the member who made the link or a lead could not open is a loss: others may never
    have had access.
    """
    untold = (
        Link.ended_at.is_(None),
        Link.told_at.is_(None),
        Link.state.in_((GONE, FORBIDDEN)),
        Document.id == Link.document_id,
        Document.matter_id.is_not(None),
        or_(
            Link.checked_by_id == Link.member_id,
            exists().where(
                Participant.matter_id == Document.matter_id,
                Participant.member_id == Link.checked_by_id,
                Participant.role == "lead",
            ),
        ),
    )
    if session().scalar(select(Link.id).where(*untold).limit(1)) is None:
        release()
        return 0
    with unit_of_work() as writing:
        rows = writing.execute(
            select(Link, Document.name, Document.matter_id)
            .where(*untold)
            .with_for_update(of=Link, skip_locked=True)
        ).all()
        writing.execute(
            update(Link).where(Link.id.in_([link.id for link, _, _ in rows])).values(told_at=utcnow())
        )
        lost = {(link.document_id, link.server_id): (link, name, matter) for link, name, matter in rows}
        audit.record_all(
            [
                audit.event(
                    SYSTEM,
                    "access_lost.found",
                    name,
                    subject_id=link.document_id,
                    matter_id=matter_id,
                    server_id=link.server_id,
                    outcome="failed",
                    twin=f"{link.library} {link.number}",
                    found="Lost" if link.state == GONE else "No access",
                )
                for link, name, matter_id in lost.values()
            ]
        )
        _queue_mails({matter_id for _, _, matter_id in lost.values()})
        return len(lost)


def _queue_mails(matter_ids: set[uuid.UUID]) -> None:
    """One email for each lead and matter; none beside one that is still to be sent."""
    leads = session().execute(
        select(Participant.matter_id, Participant.member_id)
        .join(Member, Member.id == Participant.member_id)
        .where(
            Participant.matter_id.in_(matter_ids),
            Participant.role == "lead",
            Member.is_active,
            Member.is_guest.is_(False),
        )
    )
    by_matter: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for matter_id, member_id in leads:
        by_matter[matter_id].append(member_id)
    for matter_id, member_ids in by_matter.items():
        outbox.queue_once(MAIL, member_ids, str(matter_id))


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text to one lead, with what is out of reach and undecided now. Raises NotToBeSentError."""
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    matter = session().get(Matter, uuid.UUID(mail.about))
    if member is None or not member.is_active or member.is_guest:
        raise NotToBeSentError("The member is deactivated or a guest.")
    if not member.wants_mail:
        raise NotToBeSentError("The member has turned these emails off.")
    participant = session().get(Participant, (matter.id, member.id)) if matter else None
    if matter is None or participant is None or participant.role != "lead":
        raise NotToBeSentError("The member is no longer a lead of the matter.")
    rows = undecided(Actor(id=member.id, name=member.name, email=member.email), matter.id)
    if not rows:
        raise NotToBeSentError("Nothing is out of reach any more, or it was decided.")
    name = clean_line(visible(matter.name))
    return new_message(
        mail_id,
        f"Access in iManage has ended: {name}",
        member.email,
        mail.created_at,
        "access_lost",
        matter=name,
        matter_id=matter.id,
        documents=[
            (clean_line(visible(row.name)), row.status.twin.reference, row.status.state.label)
            for row in rows[:MOST_LISTED]
        ],
        count=len(rows),
        more=max(0, len(rows) - MOST_LISTED),
    )


def undecided(actor: Actor, matter_id: uuid.UUID) -> list[DriftRow]:
    """Documents whose twin is out of reach and of which nobody has decided, by name."""
    try:
        found = board.twins(actor, matter_id)
    except RefusedError:
        return []
    names = board.names(matter_id, found.statuses.keys())
    rows = [
        DriftRow(id, *names[id], status, None)
        for state in board.OUT_OF_REACH
        for id, status in found.chosen(state)
        if id in names
    ]
    return sorted(rows, key=lambda row: row.name.casefold())
