"""Which worker processes are alive: a row each, beaten every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from models import WorkerHeartbeat, utcnow
from services.core.unit_of_work import session, unit_of_work

FORGET_AFTER = timedelta(days=30)
"""Longer than a host's clock goes wrong: one that is a day ahead must not forget those that live."""
QUIET_AFTER = timedelta(seconds=10)
COUNTED_WITHIN = timedelta(seconds=30)


def record(worker_id: str) -> None:
    """Say that this worker is alive."""
    with unit_of_work(relaxed_durability=True) as writing:
        row = writing.get(WorkerHeartbeat, worker_id)
        if row is None:
            writing.add(WorkerHeartbeat(worker_id=worker_id))
        else:
            row.seen_at = utcnow()
        writing.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < utcnow() - FORGET_AFTER))


def remove(worker_id: str) -> None:
    """This worker has stopped in good order: what it left may be taken over at once."""
    with unit_of_work() as writing:
        writing.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.worker_id == worker_id))


def last_seen() -> dict[str, datetime]:
    """The last beat of every worker on record, by the clock of its own host."""
    return {row.worker_id: row.seen_at for row in session().scalars(select(WorkerHeartbeat))}


def latest() -> datetime | None:
    """When any worker was last heard of."""
    return session().scalar(select(func.max(WorkerHeartbeat.seen_at)))


def count_live() -> int:
    """How many workers were heard of within the last half minute."""
    recent = WorkerHeartbeat.seen_at > utcnow() - COUNTED_WITHIN
    return session().scalar(select(func.count()).select_from(WorkerHeartbeat).where(recent)) or 0


def are_all_silent() -> bool:
    """Whether somebody who waits should be told that no worker is at work just now."""
    seen = latest()
    return seen is None or utcnow() - seen > QUIET_AFTER


class LivenessTracker:
    """Tells the living from the dead by whether a beat changes, measured by the watcher's own steady clock.

    So the clocks of several hosts need not agree, and a machine that slept finds nobody dead when it wakes.
    """

    def __init__(self, dead_after: float) -> None:
        self._dead_after = dead_after
        self._seen: dict[str, tuple[datetime, float]] = {}

    def living(self, beats: Mapping[str, datetime], now: float) -> frozenset[str]:
        self._seen = {
            worker_id: known if (known := self._seen.get(worker_id)) and known[0] == beat else (beat, now)
            for worker_id, beat in beats.items()
        }
        return frozenset(
            worker_id for worker_id, (_, since) in self._seen.items() if now - since < self._dead_after
        )
