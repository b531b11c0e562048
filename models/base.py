"""The database session, SQLite settings, UUID keys and aware UTC times."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as RequestSession
from sqlalchemy import BigInteger, DateTime, ForeignKey, MetaData, String, TypeDecorator, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
WRITE = "counterpart_write"
DURABLE, RELAXED = "FULL", "NORMAL"
"""Whether a commit is on disk when it returns, or with a later one: values of SQLite's `synchronous`."""
READS_FIRST = "counterpart_reads_first"
"""The transaction takes SQLite's write lock at its first write, which fails if another wrote since it began."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times on both databases; SQLite returns naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a time zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


ForeignNumber = Annotated[int, "of iManage"]
"""A number from iManage, up to imanage.ids.MAX_NUMBER."""
ServerKey = Annotated[uuid.UUID, mapped_column(ForeignKey("server.id", ondelete="CASCADE"), primary_key=True)]
MemberKey = Annotated[
    uuid.UUID, mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True)
]
"""Keys of rows that are deleted with their server or member."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), ForeignNumber: BigInteger()}


class Session(RequestSession):
    """Closes even if the database is gone, so that a finished response is not lost to a failing rollback."""

    def close(self) -> None:
        try:
            super().close()
        except DBAPIError:
            super().invalidate()


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": Session})


def folded(length: int) -> String:
    """Text that both databases compare and sort by code points."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def new_id() -> uuid.UUID:
    return uuid.uuid4()


def utcnow() -> datetime:
    return datetime.now(UTC)


WAL_PAGES = 8000
"""SQLite runs a checkpoint in a commit when the WAL has this many pages, which makes that commit slow."""


def prepare_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, and transactions under our control: a unit of work takes the write lock at its start.

    Many rows are inserted in one statement: the GIL is released at each statement while the write lock is held.
    """
    engine.dialect.use_insertmanyvalues_wo_returning = True

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"wal_autocheckpoint={WAL_PAGES}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        write = options.get(WRITE)
        if write and connection.info.setdefault(WRITE, DURABLE) != write:
            connection.exec_driver_sql(f"PRAGMA synchronous={write}")
            connection.info[WRITE] = write
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write and READS_FIRST not in options else "BEGIN")


def was_refused(error: Exception) -> bool:
    """Whether SQLite refused a write because of a concurrent one, so that the transaction has to be repeated."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    code: int = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF == sqlite3.SQLITE_BUSY


def checkpoint_wal(engine: Engine) -> None:
    """Run a passive WAL checkpoint: neither readers nor writers wait for it."""
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
