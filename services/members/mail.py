"""Emails to people about their account: an invitation, and too many failed sign-ins."""

from __future__ import annotations

import uuid
from email.message import EmailMessage

from models import Invitation, Mail, Member, utcnow
from services.core.unit_of_work import session
from services.mail.messages import NotToBeSentError, new_message
from services.members.invitation_links import link_of


def compose_invitation(mail_id: uuid.UUID) -> EmailMessage:
    """The mail and the invitation share an id. The link is derived again at each attempt and never stored."""
    row = session().get(Invitation, mail_id)
    if row is None or row.ended_as:
        raise NotToBeSentError("The invitation was used, replaced or withdrawn.")
    if row.expires_at <= utcnow():
        raise NotToBeSentError("The invitation has expired.")
    link = link_of(row)
    if link is None:
        raise NotToBeSentError("The key of the link is gone. Create a new link.")
    subject = f"{row.invited_by} has invited you to Counterpart"
    return new_message(row.id, subject, row.email, row.created_at, "invitation", invitation=row, link=link)


def compose_lockout(mail_id: uuid.UUID) -> EmailMessage:
    mail = session().get_one(Mail, mail_id)
    member = session().get(Member, mail.member_id)
    if member is None or not member.is_active:
        raise NotToBeSentError("The member is no longer active.")
    subject = "Failed sign-ins to your Counterpart account"
    return new_message(mail_id, subject, member.email, mail.created_at, "lockout", mail=mail)
