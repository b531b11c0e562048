"""What every table shares: the session, UUID keys and times that are always UTC and aware."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as RequestSession
from sqlalchemy import BigInteger, DateTime, MetaData, TypeDecorator, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
WRITE = "counterpart_write"
AT_ONCE, SOON = "FULL", "NORMAL"
"""When a commit is on the disk: before it returns, or with the next that is. Values of SQLite's `synchronous`."""
READS_FIRST = "counterpart_reads_first"
"""What is to write takes SQLite's lock with its first write, which is refused where somebody wrote since it began."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on both databases; SQLite alone would give naive ones back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone was about to be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


ForeignNumber = Annotated[int, "of iManage"]
"""A number that iManage gave, up to the largest that its reader takes (imanage.ids.MAX_NUMBER)."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), ForeignNumber: BigInteger()}


class Session(RequestSession):
    """Ends also where the database has gone: an answer that is ready is not lost because a rollback finds nobody."""

    def close(self) -> None:
        try:
            super().close()
        except DBAPIError:
            super().invalidate()


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": Session})


def new_id() -> uuid.UUID:
    return uuid.uuid4()


def utcnow() -> datetime:
    return datetime.now(UTC)


LOG_PAGES = 8000
"""Whoever commits when SQLite's log has grown so far moves it into the file himself, which takes its time."""


def prepare_sqlite(engine: Engine) -> None:
    """WAL, foreign keys and honest transactions; a writing unit takes its lock at once, not half-way.

    Many rows are inserted in one statement: Python hands on its own lock at each, and SQLite's is held meanwhile.
    """
    engine.dialect.use_insertmanyvalues_wo_returning = True

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"wal_autocheckpoint={LOG_PAGES}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        write = options.get(WRITE)
        if write and connection.info.setdefault(WRITE, AT_ONCE) != write:
            connection.exec_driver_sql(f"PRAGMA synchronous={write}")
            connection.info[WRITE] = write
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write and READS_FIRST not in options else "BEGIN")


def was_refused(error: Exception) -> bool:
    """Whether SQLite refused a write because of somebody else's, so that it has to be begun anew."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    code: int = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF == sqlite3.SQLITE_BUSY


def checkpoint_wal(engine: Engine) -> None:
    """Move what SQLite's log holds into its file, beside those who read and write: nobody waits for it."""
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
