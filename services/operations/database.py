"""The database server: its encoding, and whether it has enough connections."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import Connection

from models import db
from models.pool import POOL_TIMEOUT, resize
from services.core.bulkhead import WEB_THREADS, slots
from services.core.runtime import runtime
from services.core.unit_of_work import release, session
from services.operations import worker_heartbeats

WORKER_POOL = 8
WORKER_POOL_TIMEOUT = 30.0
COMMANDS = 2
"""Connections reserved for commands such as doctor or backup."""
ENCODING = "UTF8"


@dataclass(frozen=True)
class Capacity:
    """Connections available to our user and needed by us, live workers, and whether a pooler is used."""

    available: int
    needed: int
    workers: int
    is_pooled: bool


def web_pool(threads: int = WEB_THREADS) -> int:
    """Half of the threads query at the same time, and a few hold a connection while they write a file."""
    return runtime().settings.database_pool or threads // 2 + 2


def worker_pool() -> int:
    """Transfers wait for iManage most of the time."""
    return runtime().settings.database_pool or WORKER_POOL


def limit_web_process(threads: int = WEB_THREADS) -> None:
    """What a web process with so many threads may hold: slots for calls to iManage, and database connections."""
    slots.resize(threads)
    if is_on_a_server():
        resize(db.engine, web_pool(threads), wait_seconds=POOL_TIMEOUT)


def limit_worker_pool() -> None:
    if is_on_a_server():
        # One connection is outside the pool: it listens for notifications.
        resize(db.engine, worker_pool() - 1, wait_seconds=WORKER_POOL_TIMEOUT)


def is_on_a_server() -> bool:
    return db.engine.dialect.name == "postgresql"


def encoding_refusal(connection: Connection) -> str | None:
    """Why the encoding of this database cannot store all names; None if it can."""
    if connection.dialect.name != "postgresql":
        return None
    found = connection.scalar(text("SHOW server_encoding"))
    if found == ENCODING:
        return None
    return (
        f"The encoding of the database is {found}, which cannot store every name. "
        "Create a UTF-8 database and set COUNTERPART_DATABASE_URL to it: "
        "createdb --encoding=UTF8 --template=template0 counterpart"
    )


def capacity() -> Capacity | None:
    """None for SQLite, which has no connection limit."""
    if not is_on_a_server():
        return None
    query = (
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, "
        "(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), "
        "(SELECT datconnlimit FROM pg_database WHERE datname = current_database()), pg_backend_pid()"
    )
    *limits, real_pid = session().execute(text(query)).one()
    driver = session().connection().connection.dbapi_connection
    is_pooled = driver is not None and driver.info.backend_pid != real_pid
    release()
    workers = worker_heartbeats.count_live()
    return Capacity(
        available=min(limit for limit in limits if limit >= 0),
        needed=max(1, workers) * worker_pool() + web_pool() + COMMANDS,
        workers=max(1, workers),
        is_pooled=is_pooled,
    )
