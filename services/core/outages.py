"""Database outages and stale keys, by their cause: unreachable, busy, full, damaged or of another version.

Decided from the exception alone, without asking the database.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.core import encryption


@dataclass(frozen=True)
class Outage:
    """A stable code, and the seconds for Retry-After."""

    code: str
    retry_after: int


AWAY: Final = Outage("database_away", 15)
BUSY: Final = Outage("database_busy", 5)
CONFLICT: Final = Outage("database_meanwhile", 2)
FULL: Final = Outage("database_full", 60)
DAMAGED: Final = Outage("database_harmed", 60)
OTHER_TABLES: Final = Outage("database_tables", 60)
STALE_KEYS: Final = Outage("stale_keys", 60)

_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: CONFLICT,
    sqlite3.SQLITE_LOCKED: CONFLICT,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CANTOPEN: DAMAGED,
    sqlite3.SQLITE_IOERR: DAMAGED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_READONLY: DAMAGED,
    sqlite3.SQLITE_PERM: DAMAGED,
    sqlite3.SQLITE_PROTOCOL: CONFLICT,
}
# SQLSTATE, the whole code or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Final = {
    "40": CONFLICT,  # serialization failure, deadlock
    "55P03": CONFLICT,  # lock not available
    "53100": FULL,
    "53300": BUSY,  # too many connections
    "53": AWAY,
    "08": AWAY,
    "57P": AWAY,  # shut down, crashed, or not up yet
    "57014": CONFLICT,  # a time limit of the database
    "58": DAMAGED,  # the server's input and output
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "25006": AWAY,  # a read-only standby
    "28": AWAY,  # authentication failed
    "3D000": AWAY,  # no such database
    "42501": DAMAGED,  # insufficient privilege
    "42P01": OTHER_TABLES,
    "42703": OTHER_TABLES,
}


def of(error: BaseException) -> Outage | None:
    """The outage behind this error; None for any other error, such as a bug in a statement."""
    if isinstance(error, PoolTimeout):
        return BUSY
    if isinstance(error, encryption.StaleKeysError):
        return STALE_KEYS
    if not isinstance(error, SQLAlchemyError):
        return None
    if not isinstance(error, DBAPIError):
        return of(error.__cause__) if error.__cause__ is not None else None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    if error.connection_invalidated:
        return AWAY
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # no answer: not reached, or the connection broke
        return AWAY if isinstance(error, OperationalError) else None
    return next((_POSTGRESQL[state[:size]] for size in (5, 3, 2) if state[:size] in _POSTGRESQL), None)


def _of_sqlite(error: sqlite3.Error) -> Outage | None:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column")):
        return OTHER_TABLES
    return _SQLITE.get(code & 0xFF)
