"""The mails that wait to be sent: a row in the commit that makes the news, taken by one worker at a time."""

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
MOST_TRIES = 12
LOCKOUT = "sign_in"


@dataclass(frozen=True)
class ClaimedMail:
    """A mail that this process has taken: until its next try is due nobody else touches it."""

    id: uuid.UUID
    kind: str
    created_at: datetime
    attempt: int


def queue_transfer_ended(transfer_ids: Iterable[uuid.UUID]) -> None:
    """In the open unit that ends transfers: somebody is to be told, where this installation can send mail."""
    if runtime().settings.smtp_url:
        session().add_all(Mail(transfer_id=transfer_id) for transfer_id in transfer_ids)


def queue_lockout(member_id: uuid.UUID, address: str) -> None:
    """In the open unit: a member, guests too, is to be told who was made to wait, where mail can be sent."""
    if runtime().settings.smtp_url:
        session().add(Mail(kind=LOCKOUT, member_id=member_id, about=address[:80]))


def due(limit: int) -> list[uuid.UUID]:
    """What is to be sent now, oldest first."""
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
    """Count a try and put the next one off; None where another worker was first.

    On record before the first byte is sent: a worker that dies here costs a wait, never a flood.
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
    """Sent, or never to be sent: with the reason."""
    with unit_of_work() as writing:
        writing.execute(
            update(Mail).where(Mail.id == mail.id).values(closed_at=utcnow(), outcome=outcome[:300])
        )


def reschedule(mail: ClaimedMail, reason: str) -> None:
    """It was not sent this time. After the last try it is given up."""
    if mail.attempt >= MOST_TRIES:
        close(mail, f"Given up: {reason}")
        return
    with unit_of_work() as writing:
        writing.execute(update(Mail).where(Mail.id == mail.id).values(outcome=reason[:300]))


def hold(mail: ClaimedMail, reason: str) -> None:
    """It was not sent because the installation cannot send: the try does not count."""
    with unit_of_work() as writing:
        values = {"outcome": reason[:300], "attempt": mail.attempt - 1}
        writing.execute(update(Mail).where(Mail.id == mail.id).values(values))
