"""The mark that `db upgrade` leaves in a database: tests make their tables without it, real processes ask for it."""

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
    """The tables are those of this version, and say so."""
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
    """The tables are of this revision; None: nobody has marked them."""
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
