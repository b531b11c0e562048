"""The composer of each kind of email. The composition root registers them, so sending depends on no subject."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from email.message import EmailMessage

Compose = Callable[[uuid.UUID], EmailMessage]
"""From the id of a mail to the message. Raises NotToBeSentError if the mail is no longer needed."""

_composers: dict[str, Compose] = {}


class NotToBeSentError(Exception):
    """The mail is no longer needed; the message says why."""


def register(composers: Mapping[str, Compose]) -> None:
    """The composers by `Mail.kind`."""
    _composers.update(composers)


def compose(kind: str, mail_id: uuid.UUID) -> EmailMessage:
    """The message, with what its reader may know now. Raises NotToBeSentError, or KeyError for an unknown kind."""
    return _composers[kind](mail_id)
