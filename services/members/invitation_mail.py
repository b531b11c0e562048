"""The mail that takes an invitation to the person invited. Its link is made anew at each try, and kept nowhere."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.message import EmailMessage

from models import Invitation, utcnow
from services.core.unit_of_work import session
from services.mail.composers import NotToBeSentError
from services.mail.envelope import new_message
from services.members.invitation_links import link_of


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader; the mail has its invitation's id. Raises NotToBeSentError."""
    row = session().get(Invitation, mail_id)
    if row is None or row.ended_as:
        raise NotToBeSentError("The invitation was used, replaced or withdrawn.")
    if row.expires_at <= utcnow():
        raise NotToBeSentError("The invitation has expired.")
    link = link_of(row)
    if link is None:
        raise NotToBeSentError("The key that made the link is gone. Make a new link.")
    return _message(row, link)


def _message(row: Invitation, link: str) -> EmailMessage:
    message = new_message(row.id, f"{row.invited_by} invites you to Counterpart", row.email, row.created_at)
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
