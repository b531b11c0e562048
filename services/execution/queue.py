"""The work queue: which items are due, in which order, and which worker holds each.

A worker holds an item by its id in `worker_id`, for as long as its heartbeats come. An item without one is free. First
documents come before second ones, so that a small transfer does not wait for the tail of a huge one. A server's pace
is how many documents a minute each member may begin there, over all workers.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from models import (
    MemberPace,
    Server,
    ServerCircuit,
    ServerConcurrency,
    Transfer,
    TransferItem,
    WorkerHeartbeat,
    utcnow,
)
from services.core.unit_of_work import session, unit_of_work, upsert
from services.servers.concurrency import AT_ONCE
from services.transfers.states import LIVE

NO_SERVER = "removed"
MINUTE = timedelta(minutes=1)
CATCH_UP = timedelta(seconds=1)
"""A pace makes up for this much time in which no worker came to claim."""


@dataclass(frozen=True)
class Due:
    """An item that a worker may claim now. `at_once` and `pace` are its server's limits today."""

    id: uuid.UUID
    position: int
    server: str
    member: uuid.UUID
    at_once: int
    pace: int | None = None


def due(limit: int) -> tuple[Due, ...]:
    """Free items that can be carried out now, without those of paused transfers, open circuits and used-up paces."""
    rows = session().execute(_DUE, {"now": utcnow(), "limit": limit})
    return tuple(
        Due(row.id, row.position, str(row.server_id or NO_SERVER), row.member_id, row.at_once or 1, row.pace)
        for row in rows
    )


def has_live_items() -> bool:
    """Whether any item is being carried out, or may become due by time alone; if not, a worker may rest."""
    return session().scalar(_ANY_LIVE) is not None


def claim(
    worker_id: str, item_ids: Collection[uuid.UUID], paced: Collection[Due] = ()
) -> dict[uuid.UUID, int]:
    """Claim free items for a worker; the fencing tokens of those that no other worker claimed first.

    Of `paced`, items whose server has a pace, only as many as it lets begin now.
    """
    with unit_of_work(relaxed_durability=True) as writing:
        ids = [*item_ids, *_within_pace(writing, paced)]
        rows = writing.execute(
            update(TransferItem)
            .where(TransferItem.id.in_(_free(ids)))
            .values(worker_id=worker_id, fencing_token=TransferItem.fencing_token + 1, wait_until=None)
            .returning(TransferItem.id, TransferItem.fencing_token)
            .execution_options(synchronize_session=False)
        )
        return {row.id: row.fencing_token for row in rows}


def _free(item_ids: Collection[uuid.UUID]) -> Select[uuid.UUID]:
    return (
        select(TransferItem.id)
        .where(TransferItem.id.in_(item_ids), TransferItem.worker_id.is_(None), TransferItem.state.in_(LIVE))
        .with_for_update(skip_locked=True)
    )


def _within_pace(writing: Session, items: Collection[Due]) -> list[uuid.UUID]:
    """The items that may begin now; they count as begun. Locks one row for each member and server."""
    members: defaultdict[tuple[str, uuid.UUID, int], list[uuid.UUID]] = defaultdict(list)
    for item in items:
        members[item.server, item.member, item.pace or 1].append(item.id)
    begun: list[uuid.UUID] = []
    for (server, member, pace), ids in sorted(members.items()):
        now, interval = utcnow(), MINUTE / pace
        key = {"server_id": uuid.UUID(server), "member_id": member}
        writing.execute(upsert(MemberPace).values(**key, next_at=now).on_conflict_do_nothing())
        row = writing.scalars(select(MemberPace).filter_by(**key).with_for_update()).one()
        start = max(row.next_at, now - CATCH_UP)
        if start <= now:
            free = set(writing.scalars(_free(ids)))
            fit = [id for id in ids if id in free][: (now - start) // interval + 1]
            row.next_at = start + len(fit) * interval
            begun += fit
    return begun


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
    used_up = exists().where(
        MemberPace.server_id == Transfer.server_id,
        MemberPace.member_id == Transfer.member_id,
        MemberPace.next_at > now,
    )
    return (
        select(
            TransferItem.id,
            TransferItem.position,
            Transfer.created_at,
            Transfer.server_id,
            Transfer.member_id,
            Transfer.cancelled_at,
        )
        .join(Transfer, Transfer.id == TransferItem.transfer_id)
        .where(
            TransferItem.state == state,
            TransferItem.worker_id.is_(None),
            or_(TransferItem.wait_until.is_(None), TransferItem.wait_until <= now),
            # A cancelled item makes no more calls, so no pause, open circuit or pace delays its end.
            or_(
                Transfer.cancelled_at.is_not(None),
                Transfer.server_id.is_(None),
                and_(Transfer.paused_at.is_(None), Transfer.server_id.not_in(open_circuits), ~used_up),
            ),
        )
        .order_by(TransferItem.position, Transfer.created_at, TransferItem.id)
        .limit(bindparam("limit", type_=Integer()))
    )


def _all_due() -> Select[*tuple[Any, ...]]:
    first = union_all(*(select(_first(state).subquery()) for state in sorted(LIVE))).subquery()
    return (
        select(first, AT_ONCE, case((first.c.cancelled_at.is_(None), Server.pace)).label("pace"))
        .outerjoin(Server, Server.id == first.c.server_id)
        .outerjoin(ServerConcurrency, ServerConcurrency.server_id == first.c.server_id)
        .order_by(first.c.position, first.c.created_at, first.c.id)
        .limit(bindparam("limit", type_=Integer()))
    )


_DUE = _all_due()
_ANY_LIVE = select(TransferItem.id).where(TransferItem.state.in_(LIVE)).limit(1)
