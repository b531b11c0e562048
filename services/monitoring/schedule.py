"""Scheduled checks of the servers: regular, soon after a change, more often while failing; and Try now."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select, update

from models import Server, ServerCircuit, ServerHealth, Transfer, TransferItem, utcnow
from services.access import permissions
from services.core.actor import SYSTEM, Actor
from services.core.errors import ConflictError, NotFoundError, TooManyError
from services.core.runtime import runtime
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.refusals import refusal
from services.monitoring import check_runs
from services.monitoring import state as monitoring_state
from services.servers import circuit_breaker, registry
from services.transfers.states import LIVE

BATCH = 20


def check_due() -> int:
    """Check each enabled server that is due, one after another; returns how many."""
    if not runtime().settings.check_minutes:
        return 0
    return sum(_check(server_id) for server_id in due())


def due() -> tuple[uuid.UUID, ...]:
    """Servers due for a check, those changed since their last one first; none that asked us to wait."""
    now = utcnow()
    is_throttled = exists().where(
        ServerCircuit.server_id == Server.id,
        ServerCircuit.open_until > now,
        ServerCircuit.code == circuit_breaker.THROTTLED,
    )
    is_new = or_(ServerHealth.as_changed_at.is_(None), ServerHealth.as_changed_at != Server.changed_at)
    found = session().scalars(
        select(Server.id)
        .outerjoin(ServerHealth, ServerHealth.server_id == Server.id)
        .where(Server.is_enabled, ~is_throttled, or_(is_new, _is_due(now)))
        .order_by(is_new.desc(), ServerHealth.due_at)
        .limit(BATCH)
    )
    ids = tuple(found)
    release()
    return ids


def try_now(actor: Actor, server_id: uuid.UUID) -> None:
    """Half-open the circuit of a server and check it. The next failure opens it again for longer."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        server = registry.require_server(actor, server_id)
        circuit = writing.get(ServerCircuit, server_id, with_for_update=True, populate_existing=True)
        now = utcnow()
        if circuit is None or circuit.open_until is None or circuit.open_until <= now:
            return
        if circuit.code == circuit_breaker.THROTTLED:
            raise refusal(ConflictError, "server.throttled")
        circuit.open_until = None
        of_server = select(Transfer.id).where(Transfer.server_id == server_id)
        writing.execute(
            update(TransferItem)
            .where(
                TransferItem.transfer_id.in_(of_server),
                TransferItem.state.in_(LIVE),
                TransferItem.wait_until > now,
            )
            .values(wait_until=None)
            .execution_options(synchronize_session=False)
        )
        registry.record(actor, "server.tried_now", server, failures=circuit.failures, code=circuit.code)
    with suppress(TooManyError):
        check_runs.start(actor, server_id)


def _check(server_id: uuid.UUID) -> bool:
    with suppress(NotFoundError):
        return _claim(server_id) and check_runs.run_now(SYSTEM, server_id) is not None
    return False


def _claim(server_id: uuid.UUID) -> bool:
    """Move `due_at` on before the check starts, so that one of several workers makes it."""
    with unit_of_work() as writing:
        server = monitoring_state.lock_server(writing, server_id)
        if server is None:
            return False
        row = monitoring_state.row_of(writing, server_id)
        now = utcnow()
        is_unchanged = row.as_changed_at == server.changed_at
        is_waiting = now < row.due_at < now + _longest()
        if not server.is_enabled or (is_unchanged and is_waiting):
            return False
        row.as_changed_at, row.due_at = server.changed_at, now + monitoring_state.interval(row.state)
        return True


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, or so far ahead that it was set by a wrong clock."""
    return or_(ServerHealth.due_at <= now, ServerHealth.due_at > now + _longest())


def _longest() -> timedelta:
    return 2 * timedelta(minutes=runtime().settings.check_minutes)
