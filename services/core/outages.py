"""What a failure of the installation means to who waits for a page: database away, busy or full, other tables or keys.

Decided from the error alone: whoever tells of an outage asks the database nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.core import encryption
from services.core.errors import Owner

SAFE: Final = "What was saved before is safe."
LOOK_FIRST: Final = "If you were saving something, look whether it is there before you send it again."


@dataclass(frozen=True)
class Outage:
    """A stable code, the words that the person reads, and after how many seconds to ask again."""

    code: str
    title: str
    sentence: str
    next_step: str
    owner: Owner = "your System Admin"
    retry_after: int = 15


AWAY: Final = Outage(
    "database_away",
    "Counterpart cannot reach its database",
    f"No page can be shown until the database answers again. {SAFE}",
    f"Wait a minute, then try again. {LOOK_FIRST} If this goes on, "
    "give your System Admin the reference below.",
)
BUSY: Final = Outage(
    "database_busy",
    "Counterpart is busy",
    "More people asked for a page at once than the database is shared out to. Nothing was changed.",
    "Wait a few seconds, then try again.",
    retry_after=5,
)
MEANWHILE: Final = Outage(
    "database_meanwhile",
    "Somebody else was saving at the same moment",
    "The database let the other change go first, and took yours back. Nothing was changed.",
    "Try again.",
    "you",
    retry_after=2,
)
FULL: Final = Outage(
    "database_full",
    "Counterpart’s database has no room left",
    f"The disk of the database is full, so nothing can be saved. {SAFE}",
    "Ask your System Admin to make room on the disk, then try again.",
    retry_after=60,
)
HARMED: Final = Outage(
    "database_harmed",
    "Counterpart cannot read its database",
    "The database’s file is missing, damaged or not open to Counterpart.",
    "Give your System Admin the reference below. Counterpart’s log says which file it is and what is wrong with it.",
    retry_after=60,
)
OTHER_TABLES: Final = Outage(
    "database_tables",
    "Counterpart’s database does not fit this version",
    "The tables are missing or are those of another version of Counterpart.",
    "Ask your System Admin to run: flask --app app doctor",
    retry_after=60,
)
STALE_KEYS: Final = Outage(
    "stale_keys",
    "Counterpart has to be restarted",
    "The key that secrets are sealed with was changed, and this process has not got the new one yet. Nothing was lost.",
    "Ask your System Admin to give this process the new key and to restart it.",
    retry_after=60,
)

_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: MEANWHILE,
    sqlite3.SQLITE_LOCKED: MEANWHILE,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CANTOPEN: HARMED,
    sqlite3.SQLITE_IOERR: HARMED,
    sqlite3.SQLITE_CORRUPT: HARMED,
    sqlite3.SQLITE_NOTADB: HARMED,
    sqlite3.SQLITE_READONLY: HARMED,
    sqlite3.SQLITE_PERM: HARMED,
    sqlite3.SQLITE_PROTOCOL: MEANWHILE,
}
# SQLSTATE, the whole code or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Final = {
    "40": MEANWHILE,  # serialization failure, deadlock
    "55P03": MEANWHILE,  # a lock was not to be had
    "53100": FULL,
    "53300": BUSY,  # too many connections
    "53": AWAY,
    "08": AWAY,
    "57P": AWAY,  # shut down, crashed, or not up yet
    "57014": MEANWHILE,  # a time limit of the database's own
    "58": HARMED,  # the server's own input and output
    "XX001": HARMED,
    "XX002": HARMED,
    "25006": AWAY,  # a standby that does not take writes
    "28": AWAY,  # our user is not let in
    "3D000": AWAY,  # no such database
    "42501": HARMED,  # our user has not the rights
    "42P01": OTHER_TABLES,
    "42703": OTHER_TABLES,
}


def of(error: BaseException) -> Outage | None:
    """The outage that this error tells of; None for any other error, such as a mistake of ours in a statement."""
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
    if state is None:  # the server never said anything: it was not reached, or the line broke
        return AWAY if isinstance(error, OperationalError) else None
    return next((_POSTGRESQL[state[:size]] for size in (5, 3, 2) if state[:size] in _POSTGRESQL), None)


def _of_sqlite(error: sqlite3.Error) -> Outage | None:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column")):
        return OTHER_TABLES
    return _SQLITE.get(code & 0xFF)
