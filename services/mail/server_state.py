"""The state of the mail server: stored when it changes, shown to System Admins and by the doctor command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models import MailServerState, utcnow
from services.core import audit
from services.core.actor import SYSTEM
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.mail.errors import MailError

_ROW = 1


@dataclass(frozen=True)
class MailServerView:
    """Why no email is sent, since when, and what to do about it."""

    reason: str
    next_step: str
    since: datetime


def is_set_up() -> bool:
    """Whether this installation can send email at all."""
    return bool(runtime().settings.smtp_url)


def record_failure(error: MailError) -> None:
    """Record the first failure of its kind, with one audit event; repeats change nothing."""
    with unit_of_work() as writing:
        row = writing.get(MailServerState, _ROW, with_for_update=True)
        if row is not None and row.code == error.code:
            return
        row = row or MailServerState(id=_ROW)
        row.failing_since = (row.code and row.failing_since) or utcnow()
        row.code, row.reason, row.next_step = error.code, error.reason, error.next_step
        writing.add(row)
        audit.record(SYSTEM, "mail.failing", error.reason, outcome="failed", code=error.code)


def record_features(*, takes_utf8: bool) -> None:
    """Record what the mail server supports, if it changed."""
    if (row := session().get(MailServerState, _ROW)) is not None and row.takes_utf8 == takes_utf8:
        return
    with unit_of_work() as writing:
        row = writing.get(MailServerState, _ROW) or MailServerState(id=_ROW)
        row.takes_utf8 = takes_utf8
        writing.add(row)


def record_success() -> None:
    """Record that email is sent again."""
    row = session().get(MailServerState, _ROW)
    if row is None or not row.code:
        return
    with unit_of_work() as writing:
        row = writing.get_one(MailServerState, _ROW, with_for_update=True)
        row.code = row.reason = row.next_step = ""
        row.failing_since = None
        audit.record(SYSTEM, "mail.sent_again")


def failing() -> MailServerView | None:
    """Why email is not sent; None if it is, or if no mail server is set up. One query."""
    row = session().get(MailServerState, _ROW) if is_set_up() else None
    if row is None or not row.code or row.failing_since is None:
        return None
    return MailServerView(row.reason, row.next_step, row.failing_since)


def takes_utf8_addresses() -> bool:
    """Whether the mail server supports non-ASCII local parts; True while unknown."""
    row = session().get(MailServerState, _ROW) if is_set_up() else None
    return row is None or row.takes_utf8 is not False
