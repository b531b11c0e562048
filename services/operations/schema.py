"""Whether the tables match this version of Counterpart. Nothing is written to any others."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import inspect, text

from migrations import revisions
from services.core.unit_of_work import release, session


@dataclass(frozen=True)
class Mismatch:
    """What is wrong with the tables, and what to do about it."""

    sentence: str
    next_step: str


EMPTY = Mismatch(
    "The database has no tables.",
    "For a new installation, run: make migrate. For an existing one, check COUNTERPART_DATABASE_URL first.",
)
OLDER = Mismatch(
    "The database belongs to an older version of Counterpart.",
    "Create a backup, then run: make migrate",
)
NEWER = Mismatch(
    "The database belongs to a newer version of Counterpart than this one.",
    "Install that version here too. To go back, restore the backup made before: make migrate",
)


def mismatch() -> Mismatch | None:
    """How the tables differ from this version's; None if they match."""
    heads, known = revisions.read()
    found = installed()
    release()
    if found == heads:
        return None
    if not found:
        return EMPTY
    return OLDER if found <= known else NEWER


def installed() -> frozenset[str]:
    """The revisions that the database has; none where it has no tables."""
    connection = session().connection()
    if not inspect(connection).has_table("alembic_version"):
        return frozenset()
    return frozenset(connection.scalars(text("SELECT version_num FROM alembic_version")))
