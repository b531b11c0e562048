"""DBOS as this installation uses it: where its tables lie, its names, and its one queue.

`APPLICATION_VERSION` is set by hand: recovery only touches workflows of the same version, so it changes only
when the order of a workflow's steps does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from dbos import DBOS, DBOSConfig

from config import Settings
from models import db

NAME = "counterpart"
APPLICATION_VERSION = "2"
QUEUE = "transfers"
CARRY = "carry"
POLL_SECONDS = 1.0
"""Only what was taken over from a dead worker goes through the queue."""


def system_database_url(settings: Settings) -> str:
    """A SQLite file of its own beside ours, or a schema of its own in our PostgreSQL database."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.data_dir / 'jobs.sqlite'}"
    return settings.database_url


def launch(settings: Settings, executor_id: str) -> None:
    """Start the engine in this process. Workflows must have been registered before.

    On PostgreSQL it takes its connections from the process's own pool, so that there is one number to count by. Nothing
    here waits for the engine's events, so it holds no connection to listen on, which PgBouncer would not let through.
    """
    url = system_database_url(settings)
    config: DBOSConfig = {
        "name": NAME,
        "system_database_url": url,
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "log_level": "WARNING",
        "use_listen_notify": False,
    }
    if url.startswith("sqlite:///"):
        config["db_engine_kwargs"] = {"creator": _connector(Path(url.removeprefix("sqlite:///")))}
    else:
        config["system_database_engine"] = db.engine
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(
        QUEUE,
        polling_interval_sec=POLL_SECONDS,
        on_conflict="always_update",
    )


def _connector(path: Path) -> Callable[[], sqlite3.Connection]:
    """Connections to the engine's SQLite file, in WAL mode, which DBOS leaves off at half of its speed.

    A power cut may take its last commits back. Our own rows are the truth and stand; the reconciler starts anew
    what the engine has forgotten.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    connect().close()
    path.chmod(0o600)
    return connect
