"""The health of each server: the state of its last check, since when, and the mail when it changes."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Server, ServerHealth, utcnow
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import owner_label
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.diagnostics.report import Report, Result
from services.guidance import fix_locations
from services.guidance.tables import CHECK_ADVICE
from services.monitoring import history
from services.monitoring import mail as monitoring_mail

NOT_CHECKED, HEALTHY, WARNING, FAILING = "not_checked", "healthy", "warning", "failing"
FAILING_INTERVAL = timedelta(minutes=5)
REMIND = timedelta(days=1)
SHORTEST_STALE = timedelta(hours=1)
IGNORED_WARNINGS = frozenset({"secret"})
"""Checks that only thorough runs make: their warnings would make the state alternate with the kind of run."""


@dataclass(frozen=True)
class HealthView:
    """`state` is NOT_CHECKED where the last check is too old; `last_state` is what it was then."""

    state: str
    since: datetime | None = None
    checked_at: datetime | None = None
    last_state: str = ""
    sentence: str = ""
    next_step: str = ""
    owner: str = ""
    fix_location: fix_locations.FixLocation | None = None


def update(server_id: uuid.UUID, report: Report) -> None:
    """Store the outcome of a finished run: state, the day's counts, and mails to admins where it is news."""
    counted = _counted(report)
    first, now = counted.first_problem, utcnow()
    with unit_of_work() as writing:
        server = lock_server(writing, server_id)
        if server is None:
            return
        row = row_of(writing, server_id)
        before = row.state
        if counted.state != before:
            row.state, row.since = counted.state, now
        row.checked_at, row.due_at = now, now + interval(counted.state)
        row.code, row.sentence = (first.code[:80], _sentence(first, counted)[:600]) if first else ("", "")
        if server.changed_at <= report.started_at:
            row.as_changed_at = server.changed_at
        history.count(writing, server_id, report, counted.state)
        if server.is_enabled and _is_news(row, before, now):
            row.told_at = now
            monitoring_mail.enqueue(writing, server_id, monitoring_mail.occasion(row))


def health(actor: Actor, server_id: uuid.UUID) -> HealthView:
    permissions.require_admin(actor)
    return _view(session().get(ServerHealth, server_id))


def every_health(actor: Actor) -> Mapping[uuid.UUID, HealthView]:
    """Of every server that was ever checked, in one query."""
    permissions.require_admin(actor)
    return {row.server_id: _view(row) for row in session().scalars(select(ServerHealth))}


def minutes() -> int:
    """Minutes between scheduled checks; 0 where there are none."""
    return runtime().settings.check_minutes


def lock_server(writing: Session, server_id: uuid.UUID) -> Server | None:
    """The server's row, locked (FOR NO KEY UPDATE: rows that refer to it are not blocked)."""
    return writing.get(Server, server_id, with_for_update={"key_share": True}, populate_existing=True)


def row_of(writing: Session, server_id: uuid.UUID) -> ServerHealth:
    """The health row of a locked server, made where there is none."""
    row = writing.get(ServerHealth, server_id, populate_existing=True)
    if row is None:
        row = ServerHealth(server_id=server_id, state=NOT_CHECKED)
        writing.add(row)
        writing.flush()
    return row


def interval(state: str) -> timedelta:
    """Until the next check, with 10 % jitter so that the servers' checks spread out."""
    usual = timedelta(minutes=runtime().settings.check_minutes or 1)
    wait = min(usual, FAILING_INTERVAL) if state == FAILING else usual
    return wait * (90 + secrets.randbelow(21)) / 100


def _counted(report: Report) -> Report:
    kept = tuple(
        result for result in report.results if result.key not in IGNORED_WARNINGS or result.outcome != "warn"
    )
    return replace(report, results=kept)


def _sentence(first: Result, report: Report) -> str:
    """That of the first problem, and that of an expired custom CA where it is another."""
    other = next((each for each in report.results if each.code == "ca.expired"), None)
    return f"{first.sentence} {other.sentence}" if other and other is not first else first.sentence


def _is_news(row: ServerHealth, before: str, now: datetime) -> bool:
    """A changed state, but of first checks only a failure; a failure again after each day that it lasts."""
    if row.state != before:
        return before != NOT_CHECKED or row.state == FAILING
    return row.state == FAILING and (row.told_at is None or now - row.told_at >= REMIND)


def _view(row: ServerHealth | None) -> HealthView:
    if row is None or row.checked_at is None:
        return HealthView(NOT_CHECKED)
    stale = max(SHORTEST_STALE, 3 * timedelta(minutes=runtime().settings.check_minutes))
    if utcnow() - row.checked_at > stale:
        return HealthView(NOT_CHECKED, checked_at=row.checked_at, last_state=row.state)
    advice = CHECK_ADVICE.get(row.code)
    return HealthView(
        state=row.state,
        since=row.since,
        checked_at=row.checked_at,
        sentence=row.sentence,
        next_step=advice.next_step if advice else "",
        owner=owner_label(advice.owner) if advice else "",
        fix_location=fix_locations.fix_location(row.code) if row.code else None,
    )
