"""The connection pool of a process, and the set-up of PostgreSQL connections."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

CONNECT_SECONDS = 5
POOL_TIMEOUT = 10.0
"""Seconds to wait for a connection while all are in use."""


class ProcessPool(QueuePool):
    """A fixed number of connections, without overflow.

    The kind of process is known only after the engine is created, so the size is a class attribute: see `resize`.
    """

    most: ClassVar[int] = 20
    wait_seconds: ClassVar[float] = POOL_TIMEOUT

    def __init__(self, creator: Any, **options: Any) -> None:
        options |= {"pool_size": self.most, "max_overflow": 0, "timeout": self.wait_seconds}
        super().__init__(creator, **options)


def resize(engine: Engine, most: int, *, wait_seconds: float = POOL_TIMEOUT) -> None:
    """Set the size of the pool. Existing connections are closed."""
    ProcessPool.most, ProcessPool.wait_seconds = most, wait_seconds
    engine.dispose()


def prepare_postgresql(engine: Engine) -> None:
    """Turn off prepared statements behind PgBouncer, where each transaction may reach another server process."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        announced = connection.info.backend_pid
        (real,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.rollback()
        if announced != real:
            connection.prepare_threshold = None
