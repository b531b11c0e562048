"""The unit of work: everything in it is committed at once, or nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import db
from models.base import AT_ONCE, READS_FIRST, SOON, WRITE, checkpoint_wal, was_refused
from models.sqlite_write_queue import is_single_writer, queue_for_write

Seen = TypeVar("Seen")
Found = TypeVar("Found")
_OPEN, _SAID = "counterpart_unit", "counterpart_when_committed"


def session() -> Session:
    """The session of this request or job, for reading."""
    return db.session()


def is_writing() -> bool:
    """Whether a writing unit is open."""
    return bool(session().info.get(_OPEN))


def has_single_writer() -> bool:
    """Whether whoever writes to this database keeps all others from writing."""
    return is_single_writer(session().get_bind())


def tidy() -> None:
    """Do beside what else some commit would stop for: SQLite's log is moved into its file."""
    release()
    checkpoint_wal(db.engine)


def disconnect() -> None:
    """Close this process's connections, before another is forked from it that must not go on with them."""
    release()
    db.engine.dispose()


def release() -> None:
    """End reading, so that no database connection is held while another system is waited for.

    Inside a unit there is nothing to end: its reads and writes belong together.
    """
    current = session()
    if not current.info.get(_OPEN):
        current.rollback()


def abandon() -> None:
    """Give up whatever was under way after a failure, so that the next statement begins anew. Never raises."""
    current = session()
    current.info.pop(_OPEN, None)
    try:
        current.rollback()
    except SQLAlchemyError:
        current.invalidate()


@contextmanager
def unit_of_work(*, relaxed_durability: bool = False) -> Iterator[Session]:
    """A writing transaction. It starts afresh, so that what is read in it is what is true now.

    With `relaxed_durability`, a power cut within the next moments may take it back whole: for what is simply done
    again then.

    On SQLite the write lock is taken at once: a read that turns into a write half-way could fail.
    A unit inside a unit joins it.
    """
    current = session()
    if current.info.get(_OPEN):
        yield current
        return
    current.rollback()
    with (
        queue_for_write(current.get_bind()),
        _transaction(current, {WRITE: SOON if relaxed_durability else AT_ONCE}),
    ):
        yield current
        _commit(current)


def optimistic(
    look: Callable[[Session], Seen],
    write: Callable[[Session, Seen], Found],
    *,
    relaxed_durability: bool = False,
) -> Found:
    """A unit in two steps: `look` reads all that is to be known and writes nothing, `write` puts it on record.

    SQLite has one writer, and nobody waits for this one while it looks. Where somebody wrote meanwhile, it looks again,
    in a unit like any other.
    """
    current = session()
    if has_single_writer() and not is_writing():
        current.rollback()
        with _transaction(current, {WRITE: SOON if relaxed_durability else AT_ONCE, READS_FIRST: True}):
            seen = look(current)
            with queue_for_write(current.get_bind()):
                try:
                    found = write(current, seen)
                    _commit(current)
                    return found
                except Exception as error:
                    current.rollback()  # before others are let in
                    if not was_refused(error):
                        raise
    with unit_of_work(relaxed_durability=relaxed_durability):
        return write(current, look(current))


def on_commit(say: Callable[[], object]) -> None:
    """Call this once the open unit is committed, and never where it is taken back."""
    session().info[_SAID].append(say)


def _commit(current: Session) -> None:
    current.commit()
    for say in current.info.pop(_SAID, ()):
        say()


@contextmanager
def _transaction(current: Session, options: dict[str, Any]) -> Iterator[None]:
    """What is not committed in it is taken back."""
    current.connection(execution_options=options)
    current.info[_OPEN] = True
    current.info[_SAID] = []
    try:
        yield
    finally:
        current.info.pop(_OPEN, None)
        current.info.pop(_SAID, None)
        current.rollback()
