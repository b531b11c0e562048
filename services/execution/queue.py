"""Whose turn it is: the items that a worker should be carrying now, in which order, and who has taken them.

The order is fair between transfers: first documents before second ones, so that a huge transfer's tail waits for a
small transfer, and not the other way round. Items are taken by the load: one id for several of them, which a durable
job carries. An item without a load is nobody's yet.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, or_, select, union_all, update

from models import Server, ServerCircuit, Transfer, TransferItem, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.transfers.states import LIVE

NO_SERVER = "removed"


@dataclass(frozen=True)
class Due:
    """An item whose turn it is. `lane` is its server, and `at_once` how many of its items move at one time."""

    id: uuid.UUID
    position: int
    lane: str
    member: uuid.UUID
    at_once: int


def due(limit: int) -> tuple[Due, ...]:
    """Items that nobody carries and that can be carried now. Paused transfers and servers are left alone."""
    rows = session().execute(_DUE, {"now": utcnow(), "limit": limit})
    return tuple(
        Due(row.id, row.position, str(row.server_id or NO_SERVER), row.member_id, row.at_once or 1)
        for row in rows
    )


def _first(state: str) -> Select[*tuple[Any, ...]]:
    """Read along the index, so that it costs no more where a million are over or waiting."""
    now = bindparam("now", type_=TransferItem.wait_until.type)
    left_alone = select(ServerCircuit.server_id).where(ServerCircuit.open_until > now)
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
            TransferItem.batch_id.is_(None),
            or_(TransferItem.wait_until.is_(None), TransferItem.wait_until <= now),
            # What is cancelled asks iManage for nothing more, so no pause holds up its end.
            or_(
                Transfer.cancelled_at.is_not(None),
                Transfer.server_id.is_(None),
                and_(Transfer.paused_at.is_(None), Transfer.server_id.not_in(left_alone)),
            ),
        )
        .order_by(TransferItem.position, Transfer.created_at, TransferItem.id)
        .limit(bindparam("limit", type_=Integer()))
    )


def _all_due() -> Select[*tuple[Any, ...]]:
    """Made once: a worker asks it ten times a second."""
    first = union_all(*(select(_first(state).subquery()) for state in sorted(LIVE))).subquery()
    return (
        select(first, Server.at_once)
        .outerjoin(Server, Server.id == first.c.server_id)
        .order_by(first.c.position, first.c.created_at, first.c.id)
        .limit(bindparam("limit", type_=Integer()))
    )


_DUE = _all_due()


def is_due() -> ColumnElement[bool]:
    """Its time has come, whoever may be carrying it."""
    return or_(TransferItem.wait_until.is_(None), TransferItem.wait_until <= utcnow())


def form(batch_id: uuid.UUID, item_ids: Iterable[uuid.UUID]) -> int:
    """Take these items as one load, in the open unit; says how many no other worker was quicker with."""
    taken = session().execute(
        update(TransferItem)
        .where(TransferItem.id.in_(item_ids), TransferItem.batch_id.is_(None), TransferItem.state.in_(LIVE))
        .values(batch_id=batch_id)
        .returning(TransferItem.id)
        .execution_options(synchronize_session=False)
    )
    return len(taken.all())


def form_all(loads: Mapping[uuid.UUID, Collection[uuid.UUID]]) -> list[uuid.UUID]:
    """Take items as loads; says which of these came about."""
    with unit_of_work(relaxed_durability=True):
        return [batch_id for batch_id, item_ids in loads.items() if form(batch_id, item_ids)]


def loads() -> set[uuid.UUID]:
    """Every load that has items left."""
    found = session().scalars(
        select(TransferItem.batch_id)
        .where(TransferItem.state.in_(LIVE), TransferItem.batch_id.is_not(None))
        .distinct()
    )
    return {batch_id for batch_id in found if batch_id is not None}


def let_go(batch_ids: Collection[uuid.UUID]) -> None:
    """What is left of these loads is nobody's again."""
    with unit_of_work(relaxed_durability=True) as writing:
        writing.execute(
            update(TransferItem)
            .where(TransferItem.batch_id.in_(batch_ids), TransferItem.state.in_(LIVE))
            .values(batch_id=None)
            .execution_options(synchronize_session=False)
        )


def share(at_once: int, workers: int) -> int:
    """How many of a server's places are one worker's."""
    return max(1, at_once // workers)


def half(at_once: int, workers: int) -> int:
    """How many of these one member has at most while others wait."""
    return max(1, at_once // 2 // workers)
