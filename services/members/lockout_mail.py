"""The email to a member whose account had too many failed sign-ins."""

from __future__ import annotations

import uuid
from email.message import EmailMessage

from models import Mail, Member
from services.core.unit_of_work import session
from services.mail.composers import NotToBeSentError
from services.mail.envelope import new_message
from services.mail.templates import render


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader. Raises NotToBeSentError."""
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    if member is None or not member.is_active:
        raise NotToBeSentError("The member is no longer active.")
    message = new_message(
        mail_id, "Failed sign-ins to your Counterpart account", member.email, mail.created_at
    )
    message.set_content(render("lockout", mail=mail), cte="quoted-printable")
    return message
