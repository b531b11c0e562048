"""How items and transfers end: stopped, cancelled, finished."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial

import structlog
from sqlalchemy import bindparam, exists, func, select

from models import Transfer, TransferItem, db, utcnow
from services.core.errors import RefusedError
from services.core.unit_of_work import on_commit, session
from services.guidance.outcomes import CHECK_ARRIVED
from services.guidance.refusals import refusal
from services.mail import outbox
from services.transfers.states import FINISHED, ItemState, move

log = structlog.get_logger()

STORED_DIFFERENT = "transfer.stored_different"
"""iManage stored other bytes than were sent. The item keeps this code whatever the member decides."""


def cancel_items(transfer: Transfer, code: str) -> None:
    """Cancel: items that have not begun are stopped, running ones stop at their next chunk."""
    items = (
        session()
        .scalars(
            # Locked before the transfer is touched: a worker that ends an item locks in the same order.
            select(TransferItem)
            .where(TransferItem.transfer_id == transfer.id)
            .order_by(TransferItem.position)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .all()
    )
    transfer.cancelled_at = utcnow()
    for item in items:
        if item.state in {ItemState.NEEDS_SIGN_IN, ItemState.NEEDS_DECISION} or (
            item.state == ItemState.WAITING and item.sent_at is None
        ):
            stop(item, code)
    finish_if_over(transfer)


def stop(item: TransferItem, code: str) -> None:
    move(item, ItemState.STOPPED)
    if item.error_code != STORED_DIFFERENT:
        set_error(item, refusal(RefusedError, code))
    item.next_step = CHECK_ARRIVED if may_have_arrived(item) else ""
    item.wait_until = None


def may_have_arrived(item: TransferItem) -> bool:
    """Whether a send was begun whose outcome is still unknown."""
    return item.sent_at is not None and item.receipt is None


def set_error(item: TransferItem, error: RefusedError) -> None:
    item.error_code, item.error_sentence = error.code[:80], error.sentence[:600]
    item.next_step = error.next_step[:600]


def clear_error(item: TransferItem) -> None:
    item.error_code = item.error_sentence = item.next_step = ""


def finish_if_over(transfer: Transfer) -> None:
    """Finish a transfer without unfinished items, and queue the email about it, in the open unit of work."""
    if transfer.finished_at is None:
        finish_ended({transfer.id})
        session().expire(transfer, ["finished_at"])


def finish_ended(transfer_ids: Collection[uuid.UUID]) -> None:
    """Finish those of these transfers that have no unfinished item left.

    Runs at the end of every item, so it must not read all the others.
    """
    current = session()
    current.flush()
    over = current.connection().scalars(_FINISH, {"ids": list(transfer_ids), "now": utcnow()}).all()
    outbox.queue_transfer_ended(over)
    log_when_committed(over)


def log_when_committed(over: Sequence[uuid.UUID]) -> None:
    """One line for each transfer that the open unit of work ends, once it is committed: numbers and ids, no name."""
    if not over:
        return
    counts: defaultdict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    counted = (
        select(TransferItem.transfer_id, TransferItem.state, func.count())
        .where(TransferItem.transfer_id.in_(over))
        .group_by(TransferItem.transfer_id, TransferItem.state)
    )
    for transfer_id, state, count in session().connection().execute(counted):
        counts[transfer_id][state] = count
    facts = select(
        Transfer.id,
        Transfer.kind,
        Transfer.matter_id,
        Transfer.server_id,
        Transfer.created_at,
        Transfer.finished_at,
    ).where(Transfer.id.in_(over))
    for row in session().connection().execute(facts):
        on_commit(
            partial(
                log.info,
                "transfer.ended",
                transfer=str(row.id),
                kind=row.kind,
                matter=str(row.matter_id),
                server=str(row.server_id or ""),
                items=counts[row.id],
                seconds=round((row.finished_at - row.created_at).total_seconds(), 1),
            )
        )


_TRANSFERS = db.metadata.tables[Transfer.__tablename__]
UNFINISHED = exists().where(
    TransferItem.transfer_id == _TRANSFERS.c.id, TransferItem.state.not_in(sorted(FINISHED))
)
"""Whether a transfer of the query has an item that is not over."""
_FINISH = (
    _TRANSFERS.update()
    .where(
        _TRANSFERS.c.id.in_(bindparam("ids", expanding=True)),
        _TRANSFERS.c.finished_at.is_(None),
        ~UNFINISHED,
    )
    .values(finished_at=bindparam("now", type_=_TRANSFERS.c.finished_at.type))
    .returning(_TRANSFERS.c.id)
)
