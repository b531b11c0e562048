"""Whose turn it is: the items that a worker should be carrying now, and in which order.

The order is fair between transfers: first documents before second ones, so that a huge transfer's tail waits for a
small transfer, and not the other way round.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select, update

from models import Server, ServerPause, Transfer, TransferItem, utcnow
from services.transfer_states import LIVE
from services.unit import session, unit

NO_SERVER = "removed"


@dataclass(frozen=True)
class Due:
    """An item whose turn it is. `lane` is its server: what waits for one server keeps nobody else waiting."""

    id: uuid.UUID
    run: int
    position: int
    lane: str


@dataclass(frozen=True)
class Place:
    """Where an item's bytes go through, and how many may do so at once over all workers."""

    lane: str
    at_once: int


def due(limit: int, only: Sequence[uuid.UUID] | None = None) -> tuple[Due, ...]:
    """Items to carry now, `only` of these where given. Paused transfers and servers are left alone."""
    now = utcnow()
    left_alone = select(ServerPause.server_id).where(ServerPause.until > now)
    query = (
        select(TransferItem.id, TransferItem.run, TransferItem.position, Transfer.server_id)
        .join(Transfer)
        .where(
            TransferItem.state.in_(LIVE),
            or_(TransferItem.wait_until.is_(None), TransferItem.wait_until <= now),
            # What is cancelled asks iManage for nothing more, so no pause holds up its end.
            or_(
                Transfer.cancelled_at.is_not(None),
                Transfer.server_id.is_(None),
                and_(Transfer.paused_at.is_(None), Transfer.server_id.not_in(left_alone)),
            ),
        )
        .order_by(TransferItem.position, Transfer.created_at, TransferItem.id)
        .limit(limit)
    )
    if only is not None:
        query = query.where(TransferItem.id.in_(only))
    rows = session().execute(query)
    return tuple(
        Due(item_id, run, position, str(server_id or NO_SERVER)) for item_id, run, position, server_id in rows
    )


def place_of(item_id: uuid.UUID) -> Place:
    """The lane of an item, and how wide its server's admin made it."""
    row = (
        session()
        .execute(
            select(Server.id, Server.at_once)
            .join(Transfer, Transfer.server_id == Server.id)
            .join(TransferItem, TransferItem.transfer_id == Transfer.id)
            .where(TransferItem.id == item_id)
        )
        .first()
    )
    return Place(str(row[0]), row[1]) if row else Place(NO_SERVER, 1)


def next_run(item_id: uuid.UUID, seen: int) -> int | None:
    """Count one more run of an item; None where another reconciler was first."""
    with unit() as writing:
        changed = writing.execute(
            update(TransferItem)
            .where(TransferItem.id == item_id, TransferItem.run == seen)
            .values(run=seen + 1)
            .returning(TransferItem.id)
        )
        return seen + 1 if changed.first() else None
