"""DBOS as this installation uses it: where its tables lie, its names, and its one queue.

`APPLICATION_VERSION` is set by hand: recovery only touches workflows of the same version, so it changes only
when the order of a workflow's steps does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from dbos import DBOS, DBOSConfig, EnqueueOptions

from config import Settings
from services.transfer_turns import Due

NAME = "counterpart"
APPLICATION_VERSION = "1"
QUEUE = "transfers"
CARRY = "carry"
IN_HAND = 40
"""What a worker takes of one server's items: those that move, and those that follow them without waiting for a look."""
POLL_SECONDS = 0.1


def system_database_url(settings: Settings) -> str:
    """A SQLite file of its own beside ours, or a schema of its own in our PostgreSQL database."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.data_dir / 'jobs.sqlite'}"
    return settings.database_url


def workflow_id(item_id: str, run: int) -> str:
    """The item's id; a later run of the same item (after a wait or a sign-in) has its number behind it."""
    return item_id if run == 0 else f"{item_id}.{run}"


def enqueueing(item: Due, run: int) -> EnqueueOptions:
    """How an item is put on the queue: in its server's lane, before everything further down in its transfer."""
    return {
        "queue_name": QUEUE,
        "workflow_name": CARRY,
        "workflow_id": workflow_id(str(item.id), run),
        "app_version": APPLICATION_VERSION,
        "queue_partition_key": item.lane,
        "priority": item.position,
    }


def launch(settings: Settings, executor_id: str) -> None:
    """Start the engine in this process. Workflows must have been registered before."""
    url = system_database_url(settings)
    config: DBOSConfig = {
        "name": NAME,
        "system_database_url": url,
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "log_level": "WARNING",
    }
    if url.startswith("sqlite:///"):
        config["db_engine_kwargs"] = {"creator": _connector(Path(url.removeprefix("sqlite:///")))}
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(
        QUEUE,
        partition_worker_concurrency=IN_HAND,
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
