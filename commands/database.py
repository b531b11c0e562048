"""Reads an installation's database without its application, for processes that stay small."""

from __future__ import annotations

import sqlite3
from typing import Any, Protocol
from urllib.parse import quote

from config import Settings, libpq_url, sqlite_file
from migrations import revisions


class UnreachableError(Exception):
    """The database does not answer, or has no such table."""


class Connection(Protocol):
    def execute(self, query: str, /) -> Any: ...

    def close(self) -> None: ...


class Reader:
    """One connection, opened again after an error."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url
        self._connection: Connection | None = None
        self._seen: object = None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Raises UnreachableError."""
        try:
            if self._connection is None:
                self._connection = _connect(self._url)
            found: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
            return found
        except Exception as error:  # of either driver
            self.close()
            raise UnreachableError(str(error)) from error

    def has_changed(self) -> bool:
        """Whether anybody has committed since the last call. On PostgreSQL this is not known: always True."""
        if sqlite_file(self._url) is None:
            return True
        before, self._seen = self._seen, self.rows("PRAGMA data_version")
        return self._seen != before

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._seen = None


def has_current_tables(settings: Settings) -> bool:
    """Whether the tables are those of this version, as far as can be told; where not, `prepare` says why."""
    reader = Reader(settings)
    try:
        found = frozenset(row[0] for row in reader.rows("SELECT version_num FROM alembic_version"))
    except UnreachableError:
        return False
    finally:
        reader.close()
    return found == revisions.read()[0]


def _connect(url: str) -> Connection:
    if (file := sqlite_file(url)) is not None:
        return sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, isolation_level=None)
    import psycopg

    return psycopg.connect(libpq_url(url), autocommit=True)
