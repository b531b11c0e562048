"""Mails to System Admins about a server whose state has changed, or that still fails after a day."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.message import EmailMessage

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Mail, Member, Server, ServerHealth
from services.core.errors import owner_label
from services.core.runtime import runtime
from services.core.text.normalise import clean_line
from services.core.unit_of_work import session
from services.diagnostics.runner import ADVICE
from services.mail.composers import NotToBeSentError
from services.mail.envelope import new_message

KIND = "health"
SUBJECTS = {
    "failing": "“{}” is failing",
    "warning": "“{}” works, with a warning",
    "healthy": "“{}” is healthy again",
}
STILL = "“{}” is still failing"
OPENINGS = {
    "failing": "Counterpart cannot work with the iManage server “{}”.",
    "warning": "The iManage server “{}” works, and needs somebody’s attention.",
    "healthy": "Everything that is checked at the iManage server “{}” is as it should be again.",
}


def occasion(row: ServerHealth) -> str:
    """What makes two mails about one server two: the state, and when it was news."""
    return f"{row.state} {row.told_at.isoformat()}" if row.told_at else row.state


def put_by(writing: Session, server_id: uuid.UUID, about: str) -> None:
    """In the open unit: one mail to each System Admin who wants it, where this installation can send any."""
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
    """Plain text, one reader, and only as long as it is news. Raises NotToBeSentError."""
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    server, row = session().get(Server, mail.server_id), session().get(ServerHealth, mail.server_id)
    if member is None or not member.is_active or not member.is_admin or member.is_guest:
        raise NotToBeSentError("The member is no active System Admin any more.")
    if not member.wants_health_mail:
        raise NotToBeSentError("The member has switched these mails off.")
    if server is None or row is None or not server.is_enabled:
        raise NotToBeSentError("The server is switched off.")
    if mail.about != occasion(row):
        raise NotToBeSentError("The state has changed since.")
    return _message(mail, member, server, row)


def _message(mail: Mail, member: Member, server: Server, row: ServerHealth) -> EmailMessage:
    is_reminder = row.state == "failing" and row.told_at is not None and row.told_at > row.since
    subject = (STILL if is_reminder else SUBJECTS[row.state]).format(clean_line(server.name))
    message = new_message(mail.id, subject, member.email, mail.created_at)
    message.set_content("\n".join(_lines(server, row)), cte="quoted-printable")
    return message


def _lines(server: Server, row: ServerHealth) -> list[str]:
    base, words = runtime().settings.public_url, ADVICE.get(row.code)
    lines = [OPENINGS[row.state].format(clean_line(server.name)), ""]
    if row.sentence:
        lines += [f"What was found: {row.sentence}"]
    if words:
        lines += [
            f"What it means: {words.cause}",
            f"What to do: {words.next_step}",
            f"Whose step: {owner_label(words.owner)}",
        ]
    lines += [
        f"Since: {_time(row.since)}",
        *([f"Last checked: {_time(row.checked_at)}"] if row.checked_at else []),
        "",
        f"The server’s page: {base}/admin/integrations/imanage/{server.id}",
        "",
        f"Counterpart sent you this because you are a System Admin. Switch it off: {base}/account",
        "",
    ]
    return lines


def _time(moment: datetime) -> str:
    return f"{moment.day} {moment.strftime('%b %Y, %H:%M')} UTC"
