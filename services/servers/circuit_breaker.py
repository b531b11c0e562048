"""The circuit breaker of each server, one row for all workers: closed, open until a time, then half-open.

Closed: calls are made and failures in a row counted. Open: no worker calls, because FAILURES_TO_OPEN failed or because
the server answered with Retry-After. Half-open, once that time is over: one success closes it, one failure opens it
again for twice as long. Errors of one member's sign-in or of one document never count.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update

from models import ServerCircuit, ServerHealth, utcnow
from services.core.unit_of_work import session, upsert

FAILURES_TO_OPEN = 5
FAILURE_WINDOW = timedelta(minutes=10)
"""A failure that comes later than this after the one before begins a new count."""
FIRST_OPEN = timedelta(seconds=30)
LONGEST_OPEN = timedelta(minutes=10)
LONGEST_RETRY_AFTER = timedelta(hours=1)
THROTTLED = "imanage.throttled"
FOR_THE_ADMIN = frozenset({"imanage.client_refused", "server.secret_lost"})
"""Retrying is useless until a System Admin has entered a correct Client ID or Client Secret."""
COUNTED = ("imanage.unreachable", "imanage.server_fault", "imanage.not_imanage")


@dataclass(frozen=True)
class OpenCircuit:
    """Until when no calls are made, and why, in a sentence for members."""

    until: datetime
    sentence: str
    code: str = ""

    @property
    def is_retry_after(self) -> bool:
        """Whether the server itself asked for the wait, so that no admin can shorten it."""
        return self.code == THROTTLED


def record_failure(server_id: uuid.UUID, code: str, sentence: str, wait_seconds: float | None) -> None:
    """Count a failed call, in the open unit of work. Codes that say nothing about the server are ignored."""
    if code != THROTTLED and code not in FOR_THE_ADMIN and not code.startswith(COUNTED):
        return
    now = utcnow()
    row = _locked(server_id, now)
    if code == THROTTLED:
        retry_after = min(timedelta(seconds=wait_seconds or 1.0), LONGEST_RETRY_AFTER)
        row.open_until = max(row.open_until or now, now + retry_after)
    elif row.open_until is None or row.open_until <= now:
        # Calls that were in flight when the circuit opened add nothing.
        row.failures = row.failures + 1 if now - row.failed_at < FAILURE_WINDOW else 1
        row.failed_at = now
        if code in FOR_THE_ADMIN:
            row.failures = max(row.failures, FAILURES_TO_OPEN)
        if row.failures >= FAILURES_TO_OPEN:
            doublings = min(row.failures - FAILURES_TO_OPEN, 10)
            row.open_until = now + min(FIRST_OPEN * 2**doublings, LONGEST_OPEN)
            check_now = update(ServerHealth).where(ServerHealth.server_id == server_id)
            session().execute(check_now.values(due_at=now))
    row.code, row.sentence = code[:80], sentence[:600]


def _locked(server_id: uuid.UUID, now: datetime) -> ServerCircuit:
    """The row, inserted if there is none, and locked by the upsert until the open unit of work ends."""
    made = upsert(ServerCircuit).values(server_id=server_id, code="", sentence="", failures=0, failed_at=now)
    locking = made.on_conflict_do_update(index_elements=["server_id"], set_={"server_id": server_id})
    session().execute(locking)
    return session().get_one(ServerCircuit, server_id, populate_existing=True)


def record_success(server_id: uuid.UUID) -> None:
    """Close the circuit and forget its failures, in the open unit of work."""
    session().execute(_CLOSE, {"answered": server_id}, execution_options={"synchronize_session": False})


_CLOSE = delete(ServerCircuit).where(ServerCircuit.server_id == bindparam("answered"))


def close_for_new_credentials(server_id: uuid.UUID) -> None:
    """The Client ID or Client Secret has changed, in the open unit of work: transfers that waited for it resume."""
    session().execute(
        delete(ServerCircuit).where(
            ServerCircuit.server_id == server_id, ServerCircuit.code.in_(FOR_THE_ADMIN)
        )
    )


def open_circuits() -> dict[uuid.UUID, OpenCircuit]:
    """Every open circuit, by server. The sentences name no server."""
    rows = session().scalars(select(ServerCircuit).where(ServerCircuit.open_until > utcnow()))
    return {
        row.server_id: OpenCircuit(row.open_until, row.sentence, row.code) for row in rows if row.open_until
    }
