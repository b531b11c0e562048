"""Leaving a server alone: as long as it asks, or for a growing while after it failed again and again.

The rows hold over all workers. Errors of a person's sign-in never count: they are hers to mend, not the network's.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models import ServerHealth, ServerPause, utcnow
from services.core.unit_of_work import session

ENOUGH = 5
"""So many failures in a row, each within MEMORY of the one before, make a pause."""
MEMORY = timedelta(minutes=10)
FIRST = timedelta(seconds=30)
LONGEST = timedelta(minutes=10)
LONGEST_ASKED = timedelta(hours=1)
THROTTLED = "imanage.throttled"
FOR_THE_ADMIN = frozenset({"imanage.client_refused", "server.secret_lost"})
"""Asking again is in vain until a System Admin has put the server's Client ID or Client Secret right."""
COUNTED = ("imanage.unreachable", "imanage.server_fault", "imanage.not_imanage")


@dataclass(frozen=True)
class Pause:
    """Until when, and why, in words for the person who waits."""

    until: datetime
    sentence: str
    code: str = ""

    @property
    def was_asked_for(self) -> bool:
        """Whether the server itself asked for it: then nobody here may end it early."""
        return self.code == THROTTLED


def note_failure(server_id: uuid.UUID, code: str, sentence: str, wait_seconds: float | None) -> None:
    """Count what went wrong with a server, in the open unit. A person's own and a document's errors are passed over."""
    if code != THROTTLED and code not in FOR_THE_ADMIN and not code.startswith(COUNTED):
        return
    now = utcnow()
    row = _row_of(server_id, now)
    if code == THROTTLED:
        asked = min(timedelta(seconds=wait_seconds or 1.0), LONGEST_ASKED)
        row.until = max(row.until or now, now + asked)
    elif row.until is None or row.until <= now:
        # Calls that were under way when the pause began say nothing new.
        row.failures = row.failures + 1 if now - row.failed_at < MEMORY else 1
        row.failed_at = now
        if code in FOR_THE_ADMIN:
            row.failures = max(row.failures, ENOUGH)
        if row.failures >= ENOUGH:
            row.until = now + min(FIRST * 2 ** min(row.failures - ENOUGH, 10), LONGEST)
            look_at_once = update(ServerHealth).where(ServerHealth.server_id == server_id)
            session().execute(look_at_once.values(due_at=now))
    row.code, row.sentence = code[:80], sentence[:600]


def _row_of(server_id: uuid.UUID, now: datetime) -> ServerPause:
    """The row for the open unit alone, made where there is none: of two who make it one waits for the other."""
    insert = postgresql.insert if session().get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(ServerPause).values(server_id=server_id, code="", sentence="", failures=0, failed_at=now)
    locking = made.on_conflict_do_update(index_elements=["server_id"], set_={"server_id": server_id})
    session().execute(locking)
    return session().get_one(ServerPause, server_id, populate_existing=True)


def note_success(server_id: uuid.UUID) -> None:
    """It answers again, in the open unit: what failed before is forgotten."""
    session().execute(_FORGET, {"answered": server_id}, execution_options={"synchronize_session": False})


_FORGET = delete(ServerPause).where(ServerPause.server_id == bindparam("answered"))


def put_right(server_id: uuid.UUID) -> None:
    """Its Client ID or Client Secret is another one now, in the open unit: what waited for that goes on at once."""
    session().execute(
        delete(ServerPause).where(ServerPause.server_id == server_id, ServerPause.code.in_(FOR_THE_ADMIN))
    )


def paused_now() -> dict[uuid.UUID, Pause]:
    """Every server that is being left alone. The sentences name no server."""
    rows = session().scalars(select(ServerPause).where(ServerPause.until > utcnow()))
    return {row.server_id: Pause(row.until, row.sentence, row.code) for row in rows if row.until is not None}
