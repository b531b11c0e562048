"""The revision that `db upgrade` writes: tests create their tables without it, real processes require it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from migrations import revisions
from models import db


def head() -> str:
    (revision,) = revisions.read()[0]
    return revision


@contextmanager
def marked() -> Iterator[None]:
    """The database has the newest revision."""
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    mark(head())
    try:
        yield
    finally:
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))


def mark(revision: str | None) -> None:
    """Set the revision; None removes it."""
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
