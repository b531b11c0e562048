"""The mail to somebody whose account others have tried to sign in to with wrong passwords."""

from __future__ import annotations

import uuid
from email.message import EmailMessage

from models import Mail, Member
from services.house import house
from services.mail_envelope import new_message
from services.mail_text import NotToBeSent, time_of
from services.unit import session

KIND = "sign_in"


def put_by(member_id: uuid.UUID, address: str) -> None:
    """In the open unit, where this installation can send any. It goes to guests too, and cannot be switched off."""
    if house().settings.smtp_url:
        session().add(Mail(kind=KIND, member_id=member_id, about=address[:80]))


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader. Raises NotToBeSent."""
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    if member is None or not member.is_active:
        raise NotToBeSent("The member is not active any more.")
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
        f"password, change it: {house().settings.public_url}/account",
        "",
    ]
    message.set_content("\n".join(lines), cte="quoted-printable")
    return message
