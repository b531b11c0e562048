"""The unit of work: everything in it is committed at once, or nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from models import db
from models.base import AT_ONCE, SOON, WRITE, move_log
from models.turns import has_one_writer, turn_to_write

_OPEN = "counterpart_unit"


def session() -> Session:
    """The session of this request or job, for reading."""
    return db.session()


def is_writing() -> bool:
    """Whether a writing unit is open."""
    return bool(session().info.get(_OPEN))


def all_wait_for_one_writer() -> bool:
    """Whether whoever writes to this database keeps all others from writing."""
    return has_one_writer(session().get_bind())


def tidy() -> None:
    """Do beside what else some commit would stop for: SQLite's log is moved into its file."""
    release()
    move_log(db.engine)


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


@contextmanager
def unit(*, soon: bool = False) -> Iterator[Session]:
    """A writing transaction. It starts afresh, so that what is read in it is what is true now.

    With `soon`, a power cut within the next moments may take it back whole: for what is simply done again then.

    On SQLite the write lock is taken at once: a read that turns into a write half-way could fail.
    A unit inside a unit joins it.
    """
    current = session()
    if current.info.get(_OPEN):
        yield current
        return
    current.rollback()
    with turn_to_write(current.get_bind()):
        current.connection(execution_options={WRITE: SOON if soon else AT_ONCE})
        current.info[_OPEN] = True
        try:
            yield current
            current.commit()
        except BaseException:
            current.rollback()
            raise
        finally:
            current.info.pop(_OPEN, None)
