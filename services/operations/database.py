"""The database server as this installation finds it: its encoding, and whether it has connections enough."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import Connection

from models import db
from models.pool import PATIENCE, hold_at_most
from services.core.runtime import runtime
from services.core.unit_of_work import release, session
from services.operations import worker_heartbeats

WEB_THREADS = 16
WORKER_POOL = 8
WORKER_PATIENCE = 30.0
COMMANDS = 2
"""What is kept free for commands: a doctor or a backup must get in."""
ENCODING = "UTF8"


@dataclass(frozen=True)
class Capacity:
    """What the server gives to users like ours, what we may come to hold, and whether a pooler stands between."""

    has: int
    needs: int
    living: int
    is_pooled: bool


def web_pool() -> int:
    """Of sixteen threads half ask the database at once, and some hold a connection while they write to a file."""
    return runtime().settings.database_pool or WEB_THREADS // 2 + 2


def worker_pool() -> int:
    """Its transfers wait for iManage most of the time. The job engine takes its connections from the same."""
    return runtime().settings.database_pool or WORKER_POOL


def share_as_web() -> None:
    """This process serves pages: it holds no more than its share."""
    if is_on_a_server():
        hold_at_most(db.engine, web_pool(), patience=PATIENCE)


def share_as_worker() -> None:
    if is_on_a_server():
        hold_at_most(db.engine, worker_pool(), patience=WORKER_PATIENCE)


def is_on_a_server() -> bool:
    return db.engine.dialect.name == "postgresql"


def encoding_refusal(connection: Connection) -> str | None:
    """Why this database cannot hold the names of documents and people, None where it can."""
    if connection.dialect.name != "postgresql":
        return None
    found = connection.scalar(text("SHOW server_encoding"))
    if found == ENCODING:
        return None
    return (
        f"The database is in {found}, which cannot hold every name. "
        "Make one in UTF-8 and point COUNTERPART_DATABASE_URL at it: "
        "createdb --encoding=UTF8 --template=template0 counterpart"
    )


def capacity() -> Capacity | None:
    """None where the database is a file: connections to it cost nothing."""
    if not is_on_a_server():
        return None
    asked = (
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, "
        "(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user), "
        "(SELECT datconnlimit FROM pg_database WHERE datname = current_database()), pg_backend_pid()"
    )
    *limits, real_pid = session().execute(text(asked)).one()
    told = session().connection().connection.dbapi_connection
    is_pooled = told is not None and told.info.backend_pid != real_pid
    release()
    living = worker_heartbeats.count_live()
    return Capacity(
        has=min(limit for limit in limits if limit >= 0),
        needs=max(1, living) * worker_pool() + web_pool() + COMMANDS,
        living=max(1, living),
        is_pooled=is_pooled,
    )
