"""The mail that takes an invitation to the person invited. Its link is made anew at each try, and kept nowhere."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from models import Invitation, utcnow
from services.house import house
from services.invitation_links import link_of
from services.mail_text import NotToBeSent
from services.unit import session


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader; the mail has its invitation's id. Raises NotToBeSent."""
    row = session().get(Invitation, mail_id)
    if row is None or row.ended_as:
        raise NotToBeSent("The invitation was used, replaced or withdrawn.")
    if row.expires_at <= utcnow():
        raise NotToBeSent("The invitation has expired.")
    link = link_of(row)
    if link is None:
        raise NotToBeSent("The key that made the link is gone. Make a new link.")
    return _message(row, link)


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
