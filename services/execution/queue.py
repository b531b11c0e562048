"""The work queue: which items are due, in which order, and which worker holds each.

A worker holds an item by its id in `worker_id`, for as long as its heartbeats come. An item without one is free. First
documents come before second ones, so that a small transfer does not wait for the tail of a huge one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, or_, select, union_all, update

from models import Server, ServerCircuit, ServerConcurrency, Transfer, TransferItem, WorkerHeartbeat, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.servers.concurrency import AT_ONCE
from services.transfers.states import LIVE

NO_SERVER = "removed"


@dataclass(frozen=True)
class Due:
    """An item that a worker may claim now. `at_once` is its server's limit of simultaneous transfers today."""

    id: uuid.UUID
    position: int
    server: str
    member: uuid.UUID
    at_once: int


def due(limit: int) -> tuple[Due, ...]:
    """Free items that can be carried out now. Paused transfers and servers with an open circuit are left out."""
    rows = session().execute(_DUE, {"now": utcnow(), "limit": limit})
    return tuple(
        Due(row.id, row.position, str(row.server_id or NO_SERVER), row.member_id, row.at_once or 1)
        for row in rows
    )


def has_live_items() -> bool:
    """Whether any item is being carried out, or may become due by time alone; if not, a worker may rest."""
    return session().scalar(_ANY_LIVE) is not None


def claim(worker_id: str, item_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Claim free items for a worker; the fencing tokens of those that no other worker claimed first."""
    free = (
        select(TransferItem.id)
        .where(TransferItem.id.in_(item_ids), TransferItem.worker_id.is_(None), TransferItem.state.in_(LIVE))
        .with_for_update(skip_locked=True)
    )
    with unit_of_work(relaxed_durability=True) as writing:
        rows = writing.execute(
            update(TransferItem)
            .where(TransferItem.id.in_(free))
            .values(worker_id=worker_id, fencing_token=TransferItem.fencing_token + 1, wait_until=None)
            .returning(TransferItem.id, TransferItem.fencing_token)
            .execution_options(synchronize_session=False)
        )
        return {row.id: row.fencing_token for row in rows}


def release(item_id: uuid.UUID, fencing_token: int) -> None:
    """Make an item free again, unless another worker has claimed it."""
    # In any state: an item that waits for a member's decision must be free when it comes.
    _release(TransferItem.id == item_id, TransferItem.fencing_token == fencing_token)


def release_expired(worker_ids: Collection[str]) -> int:
    """Release what these workers hold, whose heartbeats have stopped, and what workers without a heartbeat row hold.

    Returns the number of items.
    """
    known = select(WorkerHeartbeat.worker_id)
    expired = or_(TransferItem.worker_id.in_(worker_ids), TransferItem.worker_id.not_in(known))
    if session().scalar(select(TransferItem.id).where(_LIVE_AND_HELD, expired).limit(1)) is None:
        return 0
    return _release(_LIVE_AND_HELD, expired)


def held_by(worker_id: str) -> dict[uuid.UUID, int]:
    """The items that a worker holds, each with its fencing token."""
    rows = session().execute(
        select(TransferItem.id, TransferItem.fencing_token).where(
            TransferItem.state.in_(LIVE), TransferItem.worker_id == worker_id
        )
    )
    return {row.id: row.fencing_token for row in rows}


_LIVE_AND_HELD = and_(TransferItem.state.in_(LIVE), TransferItem.worker_id.is_not(None))


def _release(*which: ColumnElement[bool]) -> int:
    with unit_of_work(relaxed_durability=True) as writing:
        released = writing.scalars(
            update(TransferItem)
            .where(*which)
            .values(worker_id=None)
            .returning(TransferItem.id)
            .execution_options(synchronize_session=False)
        )
        return len(released.all())


def _first(state: str) -> Select[*tuple[Any, ...]]:
    """Read along the index, so that millions of items that are over or waiting cost nothing."""
    now = bindparam("now", type_=TransferItem.wait_until.type)
    open_circuits = select(ServerCircuit.server_id).where(ServerCircuit.open_until > now)
    return (
        select(
            TransferItem.id,
            TransferItem.position,
            Transfer.created_at,
            Transfer.server_id,
            Transfer.member_id,
        )
        .join(Transfer, Transfer.id == TransferItem.transfer_id)
        .where(
            TransferItem.state == state,
            TransferItem.worker_id.is_(None),
            or_(TransferItem.wait_until.is_(None), TransferItem.wait_until <= now),
            # A cancelled item makes no more calls, so neither a pause nor an open circuit delays its end.
            or_(
                Transfer.cancelled_at.is_not(None),
                Transfer.server_id.is_(None),
                and_(Transfer.paused_at.is_(None), Transfer.server_id.not_in(open_circuits)),
            ),
        )
        .order_by(TransferItem.position, Transfer.created_at, TransferItem.id)
        .limit(bindparam("limit", type_=Integer()))
    )


def _all_due() -> Select[*tuple[Any, ...]]:
    first = union_all(*(select(_first(state).subquery()) for state in sorted(LIVE))).subquery()
    return (
        select(first, AT_ONCE)
        .outerjoin(Server, Server.id == first.c.server_id)
        .outerjoin(ServerConcurrency, ServerConcurrency.server_id == first.c.server_id)
        .order_by(first.c.position, first.c.created_at, first.c.id)
        .limit(bindparam("limit", type_=Integer()))
    )


_DUE = _all_due()
_ANY_LIVE = select(TransferItem.id).where(TransferItem.state.in_(LIVE)).limit(1)
