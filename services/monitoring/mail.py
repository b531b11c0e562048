"""Mails to System Admins when the health of a server changes, and each day while it fails."""

from __future__ import annotations

import uuid
from email.message import EmailMessage

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Mail, Member, Server, ServerHealth
from services.core.errors import owner_label
from services.core.runtime import runtime
from services.core.text.normalise import clean_line
from services.core.unit_of_work import session
from services.guidance.tables import CHECK_ADVICE
from services.mail.messages import NotToBeSentError, new_message

KIND = "health"
SUBJECTS = {
    "failing": "“{}” is failing",
    "warning": "“{}” is working, with a warning",
    "healthy": "“{}” is healthy again",
}
REMINDER = "“{}” is still failing"
OPENINGS = {
    "failing": "The iManage server “{}” is failing.",
    "warning": "The iManage server “{}” is working, but a check has a warning.",
    "healthy": "The iManage server “{}” is healthy again. All checks pass.",
}


def occasion(row: ServerHealth) -> str:
    """Distinguishes mails about one server: the state, and when it became news."""
    return f"{row.state} {row.told_at.isoformat()}" if row.told_at else row.state


def enqueue(writing: Session, server_id: uuid.UUID, about: str) -> None:
    """Queue a mail to each System Admin who wants it, in the open unit of work, if mail is set up."""
    if not runtime().settings.smtp_url:
        return
    readers = select(Member.id).where(
        Member.is_admin, Member.is_active, Member.is_guest.is_(False), Member.wants_health_mail
    )
    writing.add_all(
        Mail(kind=KIND, server_id=server_id, member_id=member_id, about=about)
        for member_id in writing.scalars(readers)
    )


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text to one reader. Raises NotToBeSentError where it is no longer news or no longer theirs."""
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    server, row = session().get(Server, mail.server_id), session().get(ServerHealth, mail.server_id)
    if member is None or not member.is_active or not member.is_admin or member.is_guest:
        raise NotToBeSentError("The recipient is no longer an active System Admin.")
    if not member.wants_health_mail:
        raise NotToBeSentError("The recipient has switched these emails off.")
    if server is None or row is None or not server.is_enabled:
        raise NotToBeSentError("The server is switched off.")
    if mail.about != occasion(row):
        raise NotToBeSentError("The state has changed since.")
    return _message(mail, member, server, row)


def _message(mail: Mail, member: Member, server: Server, row: ServerHealth) -> EmailMessage:
    name, advice = clean_line(server.name), CHECK_ADVICE.get(row.code)
    is_reminder = row.state == "failing" and row.told_at is not None and row.told_at > row.since
    subject = (REMINDER if is_reminder else SUBJECTS[row.state]).format(name)
    return new_message(
        mail.id,
        subject,
        member.email,
        mail.created_at,
        "health",
        opening=OPENINGS[row.state].format(name),
        health=row,
        server=server,
        advice=advice,
        owner=owner_label(advice.owner) if advice else "",
    )
