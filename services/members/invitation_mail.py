"""The email with an invitation. Its link is derived again at each attempt and never stored."""

from __future__ import annotations

import uuid
from email.message import EmailMessage

from models import Invitation, utcnow
from services.core.unit_of_work import session
from services.mail.composers import NotToBeSentError
from services.mail.envelope import new_message
from services.mail.templates import render
from services.members.invitation_links import link_of


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader. The mail and the invitation share an id. Raises NotToBeSentError."""
    row = session().get(Invitation, mail_id)
    if row is None or row.ended_as:
        raise NotToBeSentError("The invitation was used, replaced or withdrawn.")
    if row.expires_at <= utcnow():
        raise NotToBeSentError("The invitation has expired.")
    link = link_of(row)
    if link is None:
        raise NotToBeSentError("The key of the link is gone. Create a new link.")
    subject = f"{row.invited_by} has invited you to Counterpart"
    message = new_message(row.id, subject, row.email, row.created_at)
    message.set_content(render("invitation", invitation=row, link=link), cte="quoted-printable")
    return message
