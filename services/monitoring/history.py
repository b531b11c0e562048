"""A server's last 30 days: how many checks of each day were healthy, warned or failed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import ServerHealthDay, utcnow
from services.access import permissions
from services.core.actor import Actor
from services.core.unit_of_work import session
from services.diagnostics.report import Report

SHOWN_DAYS = 30
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Day:
    """One UTC day. `state` is the worst of its checks, "" without any."""

    day: date
    healthy: int = 0
    warning: int = 0
    failing: int = 0
    seconds: float = 0.0

    @property
    def checks(self) -> int:
        return self.healthy + self.warning + self.failing

    @property
    def state(self) -> str:
        worst = ("failing", self.failing), ("warning", self.warning), ("healthy", self.healthy)
        return next((state for state, count in worst if count), "")

    @property
    def average(self) -> float:
        """Mean seconds of a check."""
        return self.seconds / self.checks if self.checks else 0.0

    @property
    def sentence(self) -> str:
        """The day in words, for the tooltip of its bar."""
        if not self.checks:
            return "not checked"
        checks = "1 check" if self.checks == 1 else f"{self.checks} checks"
        parts = [
            f"{count} {word}"
            for word, count in (("failing", self.failing), ("with a warning", self.warning))
            if count
        ]
        return f"{checks}, {' and '.join(parts) or 'all healthy'}"

    def share(self, count: int, height: int) -> int:
        """The height of `count` checks in a bar of `height`; at least an eighth, so that it can be seen."""
        if not count:
            return 0
        return max(height // 8, round(height * count / self.checks))


def strip(actor: Actor, server_id: uuid.UUID) -> tuple[Day, ...]:
    """The last SHOWN_DAYS days, the oldest first, including those without a check."""
    permissions.require_admin(actor)
    today = utcnow().date()
    first = today - timedelta(days=SHOWN_DAYS - 1)
    rows = session().scalars(
        select(ServerHealthDay).where(ServerHealthDay.server_id == server_id, ServerHealthDay.day >= first)
    )
    known = {row.day: Day(row.day, row.healthy, row.warning, row.failing, row.seconds) for row in rows}
    days = (first + timedelta(days=number) for number in range(SHOWN_DAYS))
    return tuple(known.get(day) or Day(day) for day in days)


def count(writing: Session, server_id: uuid.UUID, report: Report, state: str) -> None:
    """Count a check of today in the open unit of work; days older than KEPT are deleted."""
    now = utcnow()
    row = writing.get(ServerHealthDay, (server_id, now.date()), populate_existing=True)
    if row is None:
        row = ServerHealthDay(
            server_id=server_id, day=now.date(), healthy=0, warning=0, failing=0, seconds=0.0
        )
        writing.add(row)
        old = ServerHealthDay.day < (now - KEPT).date()
        writing.execute(delete(ServerHealthDay).where(ServerHealthDay.server_id == server_id, old))
    setattr(row, state, getattr(row, state) + 1)
    row.seconds += ((report.finished_at or now) - report.started_at).total_seconds()
