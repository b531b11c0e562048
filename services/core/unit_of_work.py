"""The unit of work: a writing transaction, committed as a whole or rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import db
from models.base import DURABLE, READS_FIRST, RELAXED, WRITE, Base, checkpoint_wal, was_refused
from models.sqlite_write_queue import is_single_writer, queue_for_write

Facts = TypeVar("Facts")
Result = TypeVar("Result")
_OPEN, _ON_COMMIT = "counterpart_unit_of_work", "counterpart_on_commit"


def session() -> Session:
    """The session of this request or job, for reading."""
    return db.session()


def is_writing() -> bool:
    """Whether a unit of work is open."""
    return bool(session().info.get(_OPEN))


def has_single_writer() -> bool:
    """Whether the database has one writer at a time for all tables, as SQLite has."""
    return is_single_writer(session().get_bind())


def upsert(table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An insert into this table that can say ON CONFLICT."""
    is_postgresql = session().get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgresql else sqlite.insert(table)


def checkpoint() -> None:
    """Run a WAL checkpoint now, so that no commit has to run it and wait for it."""
    release()
    checkpoint_wal(db.engine)


def disconnect() -> None:
    """Close this process's connections before a fork: a child must not use its parent's."""
    release()
    db.engine.dispose()


def release() -> None:
    """End the read transaction, so that no connection is held while waiting for another system.

    Does nothing inside a unit of work.
    """
    current = session()
    if not current.info.get(_OPEN):
        current.rollback()


def abandon() -> None:
    """Roll back after a failure, so that the next statement starts a new transaction. Never raises."""
    current = session()
    current.info.pop(_OPEN, None)
    try:
        current.rollback()
    except SQLAlchemyError:
        current.invalidate()


@contextmanager
def unit_of_work(*, relaxed_durability: bool = False) -> Iterator[Session]:
    """A writing transaction, started afresh so that its reads are current. Nested units of work join the outer one.

    With `relaxed_durability`, a power cut may lose it whole: for work that is then simply repeated.

    SQLite's write lock is taken at the start: a transaction that reads first may be refused when it writes.
    """
    current = session()
    if current.info.get(_OPEN):
        yield current
        return
    current.rollback()
    with (
        queue_for_write(current.get_bind()),
        _transaction(current, {WRITE: RELAXED if relaxed_durability else DURABLE}),
    ):
        yield current
        _commit(current)


def optimistic(
    read: Callable[[Session], Facts],
    write: Callable[[Session, Facts], Result],
    *,
    relaxed_durability: bool = False,
) -> Result:
    """A unit of work in two steps: `read` reads all that `write` needs, and writes nothing.

    On SQLite the write queue is joined only for the second step. If another process wrote in between, both steps run
    again in an ordinary unit of work.
    """
    current = session()
    if has_single_writer() and not is_writing():
        current.rollback()
        with _transaction(current, {WRITE: RELAXED if relaxed_durability else DURABLE, READS_FIRST: True}):
            facts = read(current)
            with queue_for_write(current.get_bind()):
                try:
                    result = write(current, facts)
                    _commit(current)
                    return result
                except Exception as error:
                    current.rollback()  # before the next in the queue starts
                    if not was_refused(error):
                        raise
    with unit_of_work(relaxed_durability=relaxed_durability):
        return write(current, read(current))


def on_commit(callback: Callable[[], object]) -> None:
    """Call this after the open unit of work is committed; not if it is rolled back."""
    session().info[_ON_COMMIT].append(callback)


def _commit(current: Session) -> None:
    current.commit()
    for callback in current.info.pop(_ON_COMMIT, ()):
        callback()


@contextmanager
def _transaction(current: Session, options: dict[str, Any]) -> Iterator[None]:
    """Rolls back what is not committed inside it."""
    current.connection(execution_options=options)
    current.info[_OPEN] = True
    current.info[_ON_COMMIT] = []
    try:
        yield
    finally:
        current.info.pop(_OPEN, None)
        current.info.pop(_ON_COMMIT, None)
        current.rollback()
