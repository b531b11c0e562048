"""Whether the tables are those of this version of Counterpart. To any others nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.core.unit_of_work import release, session

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Mismatch:
    """What is wrong with the tables, and what to do about it."""

    sentence: str
    next_step: str


EMPTY = Mismatch(
    "The database has no tables.",
    "For a new installation run: make migrate. For one that has been in use, check COUNTERPART_DATABASE_URL first.",
)
OLDER = Mismatch(
    "The database is that of an older version of Counterpart.",
    "Make a backup, then run: make migrate",
)
NEWER = Mismatch(
    "The database is that of a newer version of Counterpart than this one.",
    "Install that version here too. To go back, restore the backup made before its: make migrate",
)


def mismatch() -> Mismatch | None:
    """How the tables differ from this version's, None where they do not."""
    heads, known = _revisions()
    found = frozenset(MigrationContext.configure(session().connection()).get_current_heads())
    release()
    if found == heads:
        return None
    if not found:
        return EMPTY
    return OLDER if found <= known else NEWER


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """Where this version's migrations end, and all of them."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return frozenset(scripts.get_heads()), frozenset(each.revision for each in scripts.walk_revisions())
