"""The headers of every email, and addresses in the form that mail servers accept."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import idna

from services.core.runtime import runtime


def wire_address(email: str) -> str:
    """The address with its domain in IDNA form: `ana@müller.example` becomes `ana@xn--mller-kva.example`.

    Raises ValueError for an invalid domain.
    """
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"


def new_message(mail_id: uuid.UUID, subject: str, to: str, at: datetime) -> EmailMessage:
    """The headers of a plain-text email to one reader. Raises ValueError for an invalid address.

    The Message-ID is the same at every attempt, so that mail servers recognise a duplicate.
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
    """A time for display in an email, such as `3 Feb 2026, 14:05 UTC`."""
    return f"{moment.day} {moment.strftime('%b %Y, %H:%M')} UTC"
