"""What writes the mail of each kind. The composition root registers them, so that sending knows no subject."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from email.message import EmailMessage

Compose = Callable[[uuid.UUID], EmailMessage]
"""From the id of a mail to the message. Raises NotToBeSentError where nobody is to be told any more."""

_composers: dict[str, Compose] = {}


class NotToBeSentError(Exception):
    """Nobody is to be told any more; the message says why."""


def register(composers: Mapping[str, Compose]) -> None:
    """By the kind that stands on the mail's row."""
    _composers.update(composers)


def compose(kind: str, mail_id: uuid.UUID) -> EmailMessage:
    """The message as its reader may know it now. Raises NotToBeSentError, and KeyError for an unknown kind."""
    return _composers[kind](mail_id)
