"""The audit log."""

from __future__ import annotations

from sqlalchemy import select

from models import AuditEvent
from services.core.unit_of_work import session


def trail() -> list[tuple[str, str, str]]:
    """(action, outcome, subject) of every event, oldest first."""
    session().rollback()
    rows = session().scalars(select(AuditEvent).order_by(AuditEvent.at))
    return [(row.action, row.outcome, row.subject) for row in rows]
