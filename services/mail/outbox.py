"""The outbox: emails are stored in the commit that causes them, and sent by one worker at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from models import Mail, utcnow
from services.core.runtime import runtime
from services.core.unit_of_work import release, session, unit_of_work

RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
)
MAX_ATTEMPTS = 12
LOCKOUT = "sign_in"


@dataclass(frozen=True)
class ClaimedMail:
    """A mail claimed by this process: no other touches it until its next attempt is due."""

    id: uuid.UUID
    kind: str
    created_at: datetime
    attempt: int


def queue_transfer_ended(transfer_ids: Iterable[uuid.UUID]) -> None:
    """Queue the emails about finished transfers in the open unit of work, if this installation can send email."""
    if runtime().settings.smtp_url:
        session().add_all(Mail(transfer_id=transfer_id) for transfer_id in transfer_ids)


def queue_lockout(member_id: uuid.UUID, address: str) -> None:
    """Queue the email about throttled sign-ins in the open unit of work, if this installation can send email."""
    if runtime().settings.smtp_url:
        session().add(Mail(kind=LOCKOUT, member_id=member_id, about=address[:80]))


def queue_once(kind: str, member_ids: Iterable[uuid.UUID], about: str) -> None:
    """Queue an email to each member in the open unit of work, except where the same one is still to be sent."""
    if not runtime().settings.smtp_url:
        return
    open_ones = select(Mail.member_id).where(
        Mail.kind == kind, Mail.about == about, Mail.attempt == 0, Mail.closed_at.is_(None)
    )
    known = set(session().scalars(open_ones))
    session().add_all(
        Mail(kind=kind, member_id=member_id, about=about)
        for member_id in member_ids
        if member_id not in known
    )


def due(limit: int) -> list[uuid.UUID]:
    """The ids of mails that are due, oldest first."""
    found = session().scalars(
        select(Mail.id)
        .where(Mail.closed_at.is_(None), Mail.due_at <= utcnow())
        .order_by(Mail.due_at)
        .limit(limit)
    )
    ids = list(found)
    release()
    return ids


def claim(mail_id: uuid.UUID) -> ClaimedMail | None:
    """Claim a mail: count an attempt and schedule the next. None if another worker was first.

    Committed before the first byte is sent: a worker that dies now causes a delay, not duplicates.
    """
    with unit_of_work() as writing:
        mail = writing.get(Mail, mail_id, with_for_update=True, populate_existing=True)
        now = utcnow()
        if mail is None or mail.closed_at is not None or mail.due_at > now:
            return None
        mail.due_at = now + RETRY_AFTER[min(mail.attempt, len(RETRY_AFTER) - 1)]
        mail.attempt += 1
        return ClaimedMail(mail.id, mail.kind, mail.created_at, mail.attempt)


def close(mail: ClaimedMail, outcome: str) -> None:
    """Sent, or never to be sent; `outcome` says which and why."""
    with unit_of_work() as writing:
        writing.execute(
            update(Mail).where(Mail.id == mail.id).values(closed_at=utcnow(), outcome=outcome[:300])
        )


def reschedule(mail: ClaimedMail, reason: str) -> None:
    """The attempt failed. After the last one the mail is given up."""
    if mail.attempt >= MAX_ATTEMPTS:
        close(mail, f"Given up: {reason}")
        return
    with unit_of_work() as writing:
        writing.execute(update(Mail).where(Mail.id == mail.id).values(outcome=reason[:300]))


def hold(mail: ClaimedMail, reason: str) -> None:
    """The installation cannot send email: the attempt does not count."""
    with unit_of_work() as writing:
        values = {"outcome": reason[:300], "attempt": mail.attempt - 1}
        writing.execute(update(Mail).where(Mail.id == mail.id).values(values))
