"""The clock's look at each server: on a schedule, soon after it was changed, more often while it fails; and Try now."""

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
from services.monitoring import check_runs
from services.monitoring import state as monitoring_state
from services.servers import circuit_breaker, registry
from services.transfers.states import LIVE

AT_ONCE = 20


def check_due() -> int:
    """Look at each enabled server whose turn has come, one after another. Says how many were looked at."""
    if not runtime().settings.check_minutes:
        return 0
    return sum(_look_at(server_id) for server_id in due())


def due() -> tuple[uuid.UUID, ...]:
    """Those that nobody has looked at since they were changed come first. Who asks to be left alone is left alone."""
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
        .where(Server.is_enabled, ~is_throttled, or_(is_new, _has_come(now)))
        .order_by(is_new.desc(), ServerHealth.due_at)
        .limit(AT_ONCE)
    )
    ids = tuple(found)
    release()
    return ids


def try_now(actor: Actor, server_id: uuid.UUID) -> None:
    """End the pause of a server, and look at it. Its next failure begins a longer one."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        server = registry.require_server(actor, server_id)
        pause = writing.get(ServerCircuit, server_id, with_for_update=True, populate_existing=True)
        now = utcnow()
        if pause is None or pause.open_until is None or pause.open_until <= now:
            return
        if pause.code == circuit_breaker.THROTTLED:
            raise ConflictError(
                "iManage asked to be left alone for this long.",
                code="server.throttled",
                next_step="Calls go on by themselves when the time is over.",
            )
        pause.open_until = None
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
        registry.record(actor, "server.tried_now", server, failures=pause.failures, code=pause.code)
    with suppress(TooManyError):
        check_runs.start(actor, server_id)


def _look_at(server_id: uuid.UUID) -> bool:
    with suppress(NotFoundError):
        return _take(server_id) and check_runs.run_now(SYSTEM, server_id) is not None
    return False


def _take(server_id: uuid.UUID) -> bool:
    """The next turn is put off before the first look, so that of several workers one looks."""
    with unit_of_work() as writing:
        server = monitoring_state.held(writing, server_id)
        if server is None:
            return False
        row = monitoring_state.row_of(writing, server_id)
        now = utcnow()
        is_as_seen = row.as_changed_at == server.changed_at
        is_waiting = now < row.due_at < now + _longest()
        if not server.is_enabled or (is_as_seen and is_waiting):
            return False
        row.as_changed_at, row.due_at = server.changed_at, now + monitoring_state.wait_of(row.state)
        return True


def _has_come(now: datetime) -> ColumnElement[bool]:
    """A turn that lies too far ahead was set by a clock that was wrong."""
    return or_(ServerHealth.due_at <= now, ServerHealth.due_at > now + _longest())


def _longest() -> timedelta:
    return 2 * timedelta(minutes=runtime().settings.check_minutes)
