"""Mails an invitation's link to the person invited. The link is made anew for each try and kept nowhere."""

from __future__ import annotations

import smtplib
import uuid
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import structlog
from sqlalchemy import select, update

from models import Invitation, utcnow
from services import mail
from services.house import house
from services.invitation_links import link_of
from services.outbox import MOST_TRIES, RETRY_AFTER
from services.unit import release, session, unit

log = structlog.get_logger()


def send_due(limit: int = 50) -> int:
    """Send what is due over one connection. Says how many were taken by the mail server."""
    ids = _due(limit) if mail.is_set_up() else []
    if not ids:
        return 0
    try:
        with mail.connected() as server:
            return sum(_send(server, each) for each in ids)
    except mail.UNREACHABLE as error:
        log.warning("mail.unreachable", reason=mail.reason(error))
        return 0


def _due(limit: int) -> list[uuid.UUID]:
    now = utcnow()
    query = select(Invitation.id).where(Invitation.mail_due_at <= now, Invitation.expires_at > now)
    ids = list(session().scalars(query.order_by(Invitation.mail_due_at).limit(limit)))
    release()
    return ids


def _send(server: smtplib.SMTP, invitation_id: uuid.UUID) -> bool:
    message = _take(invitation_id)
    if message is None:
        return False
    try:
        server.send_message(message)
    except smtplib.SMTPServerDisconnected as error:
        _note(invitation_id, mail.reason(error))
        raise
    except smtplib.SMTPException as error:
        _note(invitation_id, mail.reason(error), for_good=mail.is_for_good(error))
        server.rset()
        return False
    _note(invitation_id, "Sent", for_good=True)
    return True


def _take(invitation_id: uuid.UUID) -> EmailMessage | None:
    """Count a try and write the mail; None where another worker was first or there is nothing to send any more."""
    with unit() as writing:
        row = writing.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
        now = utcnow()
        if row is None or row.mail_due_at is None or row.mail_due_at > now:
            return None
        again = RETRY_AFTER[min(row.mail_attempt, len(RETRY_AFTER) - 1)]
        row.mail_attempt += 1
        row.mail_due_at = now + again if row.mail_attempt < MOST_TRIES else None
        link = link_of(row)
        try:
            message = _message(row, link) if link else None
        except (ValueError, HeaderParseError):
            message = None
        if message is None:
            row.mail_due_at, row.mail_outcome = (
                None,
                "The mail could not be written. Give a new link yourself.",
            )
        return message


def _note(invitation_id: uuid.UUID, outcome: str, *, for_good: bool = False) -> None:
    values: dict[str, object] = {"mail_outcome": outcome[:300]}
    if for_good:
        values["mail_due_at"] = None
    with unit() as writing:
        writing.execute(update(Invitation).where(Invitation.id == invitation_id).values(values))


def _message(row: Invitation, link: str) -> EmailMessage:
    settings = house().settings
    message = EmailMessage()
    message["Subject"] = f"{row.invited_by} invites you to Counterpart"
    message["From"] = Address("Counterpart", addr_spec=settings.mail_from)
    message["To"] = Address(addr_spec=row.email)
    message["Date"] = format_datetime(row.created_at)
    message["Message-ID"] = f"<{row.id}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [
        f"{row.invited_by} invites you to Counterpart, where the documents of your matters are kept.",
        "",
        f"Choose your password here: {link}",
        "",
        f"The link works once, until {_time(row.expires_at)}.",
        "If you did not expect this, you need not do anything.",
        "",
    ]
    message.set_content("\n".join(lines), cte="quoted-printable")
    return message


def _time(moment: datetime) -> str:
    return f"{moment.day} {moment.strftime('%b %Y, %H:%M')} UTC"
