"""Worker heartbeats: a row for each worker process, updated every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from models import WorkerHeartbeat, utcnow
from services.core.unit_of_work import session, unit_of_work

FORGET_AFTER = timedelta(days=30)
"""Longer than any clock error: a host whose clock is a day ahead must not delete live workers."""
SILENT_AFTER = timedelta(seconds=10)
LIVE_WITHIN = timedelta(seconds=30)


def record(worker_id: str) -> None:
    """Record a heartbeat of this worker, and delete very old ones."""
    with unit_of_work(relaxed_durability=True) as writing:
        seen = update(WorkerHeartbeat).where(WorkerHeartbeat.worker_id == worker_id).values(seen_at=utcnow())
        if not writing.execute(seen.returning(WorkerHeartbeat.worker_id)).all():
            writing.add(WorkerHeartbeat(worker_id=worker_id))
            writing.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < utcnow() - FORGET_AFTER))


def remove(worker_id: str) -> None:
    """This worker shut down cleanly: its work may be taken over at once."""
    with unit_of_work() as writing:
        writing.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.worker_id == worker_id))


def last_seen() -> dict[str, datetime]:
    """The last heartbeat of every worker, by the clock of its own host."""
    return {row.worker_id: row.seen_at for row in session().scalars(select(WorkerHeartbeat))}


def latest() -> datetime | None:
    """The latest heartbeat of any worker."""
    return session().scalar(select(func.max(WorkerHeartbeat.seen_at)))


def count_live() -> int:
    """How many workers sent a heartbeat within the last half minute."""
    recent = WorkerHeartbeat.seen_at > utcnow() - LIVE_WITHIN
    return session().scalar(select(func.count()).select_from(WorkerHeartbeat).where(recent)) or 0


def are_all_silent() -> bool:
    """Whether no worker is running now, for people who wait for one."""
    seen = latest()
    return seen is None or utcnow() - seen > SILENT_AFTER


class LivenessTracker:
    """Detects expired workers by whether their heartbeat changes, measured by the observer's monotonic clock.

    So clocks of several hosts need not agree, and a machine that was suspended declares no worker expired on waking.
    """

    def __init__(self, expire_after: float) -> None:
        self._expire_after = expire_after
        self._seen: dict[str, tuple[datetime, float]] = {}

    def living(self, last_seen: Mapping[str, datetime], now: float) -> frozenset[str]:
        self._seen = {
            worker_id: known if (known := self._seen.get(worker_id)) and known[0] == at else (at, now)
            for worker_id, at in last_seen.items()
        }
        return frozenset(
            worker_id for worker_id, (_, since) in self._seen.items() if now - since < self._expire_after
        )
