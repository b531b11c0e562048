"""Which worker processes are alive: a row each, beaten every few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from models import WorkerHeartbeat, utcnow
from services.unit import session, unit

REAPER_LOCK = 0x434F554E54  # "COUNT": any number that no other program uses in this database
FORGET_AFTER = timedelta(days=1)


def beat(executor_id: str) -> None:
    """Say that this worker is alive."""
    with unit() as writing:
        row = writing.get(WorkerHeartbeat, executor_id)
        if row is None:
            writing.add(WorkerHeartbeat(executor_id=executor_id))
        else:
            row.seen_at = utcnow()
        writing.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < utcnow() - FORGET_AFTER))


def gone(executor_id: str) -> None:
    """This worker has stopped in good order: what it left may be taken over at once."""
    with unit() as writing:
        writing.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.executor_id == executor_id))


def last_beat() -> datetime | None:
    """When any worker was last heard of."""
    return session().scalar(select(func.max(WorkerHeartbeat.seen_at)))


@contextmanager
def only_one() -> Iterator[Callable[[timedelta], frozenset[str]] | None]:
    """A lock that one process holds at a time; None where another holds it. Gives the workers that are alive.

    On SQLite the writing unit itself is the lock.
    """

    def alive(dead_after: timedelta) -> frozenset[str]:
        rows = session().scalars(
            select(WorkerHeartbeat.executor_id).where(WorkerHeartbeat.seen_at >= utcnow() - dead_after)
        )
        return frozenset(rows)

    with unit() as writing:
        if writing.get_bind().dialect.name == "postgresql" and not writing.scalar(
            select(func.pg_try_advisory_xact_lock(REAPER_LOCK))
        ):
            yield None
        else:
            yield alive
