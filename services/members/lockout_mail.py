"""The mail to somebody whose account others have tried to sign in to with wrong passwords."""

from __future__ import annotations

import uuid
from email.message import EmailMessage

from models import Mail, Member
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.mail.composers import NotToBeSentError
from services.mail.envelope import new_message, time_of


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader. Raises NotToBeSentError."""
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    if member is None or not member.is_active:
        raise NotToBeSentError("The member is not active any more.")
    message = new_message(
        mail_id, "Wrong passwords were tried for your account", member.email, mail.created_at
    )
    lines = [
        "Somebody tried to sign in to Counterpart as you with wrong passwords, until they had to wait.",
        "",
        f"When: {time_of(mail.created_at)}",
        f"From: {mail.about or 'an unknown address'}",
        "",
        "If it was you, there is nothing to do. In a browser that you have signed in with before, your password",
        "works at once.",
        "",
        "If it was not you, tell your System Admin: the audit shows the tries. If somebody may know your",
        f"password, change it: {runtime().settings.public_url}/account",
        "",
    ]
    message.set_content("\n".join(lines), cte="quoted-printable")
    return message
