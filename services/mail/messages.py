"""The messages: the headers and text of every email, and the composer of each kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import idna
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.core.runtime import runtime

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "mail"
Compose = Callable[[uuid.UUID], EmailMessage]
"""From the id of a mail to the message. Raises NotToBeSentError if the mail is no longer needed."""

_composers: dict[str, Compose] = {}
_environment = Environment(
    autoescape=select_autoescape(),
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class NotToBeSentError(Exception):
    """The mail is no longer needed; the message says why."""


def register(composers: Mapping[str, Compose]) -> None:
    """The composers by `Mail.kind`. The composition root registers them, so sending depends on no subject."""
    _composers.update(composers)


def compose(kind: str, mail_id: uuid.UUID) -> EmailMessage:
    """The message, with what its reader may know now. Raises NotToBeSentError, or KeyError for an unknown kind."""
    return _composers[kind](mail_id)


def wire_address(email: str) -> str:
    """The address with its domain in IDNA form: `ana@müller.example` becomes `ana@xn--mller-kva.example`.

    Raises ValueError for an invalid domain.
    """
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"


def new_message(
    mail_id: uuid.UUID, subject: str, to: str, at: datetime, template: str, **context: object
) -> EmailMessage:
    """A plain-text email to one reader, with the text of templates/mail/. Raises ValueError for an invalid address.

    The Message-ID is the same at every attempt, so that mail servers recognise a duplicate. Beside the context the
    template has `base`, the public URL, and the filter `moment`.
    """
    settings = runtime().settings
    sender = wire_address(settings.mail_from)
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = Address("Counterpart", addr_spec=sender)
    message["To"] = Address(addr_spec=wire_address(to))
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    text = _environment.get_template(f"{template}.txt").render(base=settings.public_url, **context)
    message.set_content(text, cte="quoted-printable")
    return message


def time_of(moment: datetime) -> str:
    """A time for display in an email, such as `3 Feb 2026, 14:05 UTC`."""
    return f"{moment.day} {moment.strftime('%b %Y, %H:%M')} UTC"


_environment.filters["moment"] = time_of
