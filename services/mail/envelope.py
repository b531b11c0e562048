"""The headers that every mail of ours has, and addresses as mail servers take them."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import idna

from services.core.runtime import runtime


def wire_address(email: str) -> str:
    """The address with its domain as DNS knows it: `ana@müller.example` is sent to `ana@xn--mller-kva.example`.

    Raises ValueError where the domain cannot be one.
    """
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"


def new_message(mail_id: uuid.UUID, subject: str, to: str, at: datetime) -> EmailMessage:
    """A plain-text mail to one reader, without its text. Raises ValueError where an address cannot be one.

    The Message-ID is the same at every try, so that a mail whose receipt was lost is recognised.
    """
    sender = wire_address(runtime().settings.mail_from)
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = Address("Counterpart", addr_spec=sender)
    message["To"] = Address(addr_spec=wire_address(to))
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def time_of(moment: datetime) -> str:
    """A moment as mails say it."""
    return f"{moment.day} {moment.strftime('%b %Y, %H:%M')} UTC"
