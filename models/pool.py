"""How many connections to the database a process holds, and what is told to PostgreSQL when one is made."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

CONNECT_SECONDS = 5
PATIENCE = 10.0
"""Seconds that a page waits for a connection while all are in use."""


class ProcessPool(QueuePool):
    """As many as its process needs and never more: whoever comes while all are in use waits.

    What a process is turns out only after its engine was made, so the size is the class's: see `hold_at_most`.
    """

    most: ClassVar[int] = 20
    patience: ClassVar[float] = PATIENCE

    def __init__(self, creator: Any, **options: Any) -> None:
        options |= {"pool_size": self.most, "max_overflow": 0, "timeout": self.patience}
        super().__init__(creator, **options)


def hold_at_most(engine: Engine, most: int, *, patience: float = PATIENCE) -> None:
    """From now on: connections that this process holds are closed first."""
    ProcessPool.most, ProcessPool.patience = most, patience
    engine.dispose()


def prepare_postgresql(engine: Engine) -> None:
    """Behind PgBouncer each transaction may meet another server process, which knows no statement prepared before."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        told = connection.info.backend_pid
        (real,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.rollback()
        if told != real:
            connection.prepare_threshold = None
