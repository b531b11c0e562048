"""How each server is: what its last check came to, since when, and who is told when that changes."""

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
from services.diagnostics.runner import ADVICE
from services.guidance import fix_locations
from services.monitoring import history
from services.monitoring import mail as monitoring_mail

NOT_CHECKED, HEALTHY, WARNING, FAILING = "not_checked", "healthy", "warning", "failing"
LABELS = {NOT_CHECKED: "Not checked", HEALTHY: "Healthy", WARNING: "Warning", FAILING: "Failing"}
WHILE_FAILING = timedelta(minutes=5)
REMIND = timedelta(days=1)
LEAST_STALE = timedelta(hours=1)
ONLY_BY_HAND = frozenset({"secret"})
"""Checks whose doubts only show when a person asks: counted, the state would swing with who asked last."""


@dataclass(frozen=True)
class HealthView:
    """`state` is what is known now: an old check says nothing about it. `was` is what that old check came to."""

    state: str
    since: datetime | None = None
    checked_at: datetime | None = None
    was: str = ""
    sentence: str = ""
    next_step: str = ""
    owner: str = ""
    place: fix_locations.Place | None = None

    @property
    def label(self) -> str:
        return LABELS[self.state]


def note(server_id: uuid.UUID, report: Report) -> None:
    """What a finished check came to, whoever made it: the state, the day's counts, and the news for the admins."""
    found = _lasting(report)
    first, now = found.first_problem, utcnow()
    with unit_of_work() as writing:
        server = held(writing, server_id)
        if server is None:
            return
        row = row_of(writing, server_id)
        before = row.state
        if found.state != before:
            row.state, row.since = found.state, now
        row.checked_at, row.due_at = now, now + wait_of(found.state)
        row.code, row.sentence = (first.code[:80], _sentence(first, found)[:600]) if first else ("", "")
        if server.changed_at <= report.started_at:
            row.as_changed_at = server.changed_at
        history.count(writing, server_id, report, found.state)
        if server.is_enabled and _is_news(row, before, now):
            row.told_at = now
            monitoring_mail.put_by(writing, server_id, monitoring_mail.occasion(row))


def health(actor: Actor, server_id: uuid.UUID) -> HealthView:
    permissions.require_admin(actor)
    return _view(session().get(ServerHealth, server_id))


def every_health(actor: Actor) -> Mapping[uuid.UUID, HealthView]:
    """Of every server that was ever looked at, in one query."""
    permissions.require_admin(actor)
    return {row.server_id: _view(row) for row in session().scalars(select(ServerHealth))}


def minutes() -> int:
    """How often the clock looks at a server; 0 where it never does."""
    return runtime().settings.check_minutes


def held(writing: Session, server_id: uuid.UUID) -> Server | None:
    """The server, its health in nobody else's hands until the unit ends. Rows that name it come and go meanwhile."""
    return writing.get(Server, server_id, with_for_update={"key_share": True}, populate_existing=True)


def row_of(writing: Session, server_id: uuid.UUID) -> ServerHealth:
    """The row of a server whose own row is held, made where there is none."""
    row = writing.get(ServerHealth, server_id, populate_existing=True)
    if row is None:
        row = ServerHealth(server_id=server_id, state=NOT_CHECKED)
        writing.add(row)
        writing.flush()
    return row


def wait_of(state: str) -> timedelta:
    """Until the next look: some tenth more or less, so that the servers' turns spread out."""
    usual = timedelta(minutes=runtime().settings.check_minutes or 1)
    wait = min(usual, WHILE_FAILING) if state == FAILING else usual
    return wait * (90 + secrets.randbelow(21)) / 100


def _lasting(report: Report) -> Report:
    kept = tuple(
        result for result in report.results if result.key not in ONLY_BY_HAND or result.outcome != "warn"
    )
    return replace(report, results=kept)


def _sentence(first: Result, report: Report) -> str:
    """Of the first problem; where an own CA has expired as well, both are told."""
    other = next((each for each in report.results if each.code == "ca.expired"), None)
    return f"{first.sentence} {other.sentence}" if other and other is not first else first.sentence


def _is_news(row: ServerHealth, before: str, now: datetime) -> bool:
    """A first look is news only where it fails; a failure is told again each day that it lasts."""
    if row.state != before:
        return before != NOT_CHECKED or row.state == FAILING
    return row.state == FAILING and (row.told_at is None or now - row.told_at >= REMIND)


def _view(row: ServerHealth | None) -> HealthView:
    if row is None or row.checked_at is None:
        return HealthView(NOT_CHECKED)
    stale = max(LEAST_STALE, 3 * timedelta(minutes=runtime().settings.check_minutes))
    if utcnow() - row.checked_at > stale:
        return HealthView(NOT_CHECKED, checked_at=row.checked_at, was=LABELS[row.state].lower())
    words = ADVICE.get(row.code)
    return HealthView(
        state=row.state,
        since=row.since,
        checked_at=row.checked_at,
        sentence=row.sentence,
        next_step=words.next_step if words else "",
        owner=owner_label(words.owner) if words else "",
        place=fix_locations.place_of(row.code) if row.code else None,
    )
