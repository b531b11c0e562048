"""Claim items and carry each out, step by step. Every step reads the row first, so it can be repeated after a crash.

get:  fetch -> land
save: send -> (resolve, where the answer or the worker was lost)
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select, update

from models import TransferItem
from services.connections.clients import Line
from services.core.unit_of_work import session, unit_of_work
from services.core.writer_process import record
from services.execution import failures, get, item_run, outcome, save
from services.execution.authorization import AuthorizationSnapshot
from services.execution.item_run import ItemRun, Limiter, TakenOverError
from services.execution.queue import is_due
from services.transfers.states import LIVE

MOST_STEPS = 12
STEPS = {"fetch": get.fetch, "land": get.land, "send": save.send, "resolve": outcome.resolve}
_stopping = threading.Event()


def claim(*which: ColumnElement[bool]) -> dict[uuid.UUID, int]:
    """Claim items, in the open unit of work. A run that held one before finds a higher fencing token and ends."""
    rows = session().execute(
        update(TransferItem)
        .where(*which)
        .values(fencing_token=TransferItem.fencing_token + 1, wait_until=None)
        .returning(TransferItem.id, TransferItem.fencing_token)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.fencing_token for row in rows}


def claim_batch(batch_id: uuid.UUID, limiter: Limiter) -> list[tuple[ItemRun, str]]:
    """Claim the items of a batch that are due, each with the step at which to begin or to resume."""
    return _runs(record(_claim_batch, batch_id), limiter)


def _claim_batch(batch_id: uuid.UUID) -> dict[uuid.UUID, int]:
    with unit_of_work(relaxed_durability=True):
        return claim(TransferItem.batch_id == batch_id, is_due(), TransferItem.state.in_(LIVE))


def _runs(claims: Mapping[uuid.UUID, int], limiter: Limiter) -> list[tuple[ItemRun, str]]:
    rows = item_run.read(claims.keys())
    snapshot = AuthorizationSnapshot({row.transfer_id for row in rows})
    lines = {(row.member_id, row.server_id): Line() for row in rows}
    return [
        (
            ItemRun(
                task=item_run.task_of(row),
                fencing_token=claims[row.id],
                outgoing=item_run.outgoing_of(row),
                line=lines[row.member_id, row.server_id],
                snapshot=snapshot,
                limiter=limiter,
                stopping=_stopping,
            ),
            _step_of(row),
        )
        for row in rows
    ]


def _step_of(row: Any) -> str:
    if row.kind == "get":
        return "land" if row.sha256 else "fetch"
    return "resolve" if row.sent_at else "send"


def fell_over(batch_id: uuid.UUID) -> None:
    """The run of a batch ended in an error that it could not write to the rows, such as one of the database's."""
    with unit_of_work() as writing:
        items = writing.scalars(
            select(TransferItem)
            .where(TransferItem.batch_id == batch_id, TransferItem.state.in_(LIVE))
            .order_by(TransferItem.transfer_id, TransferItem.position)
            .with_for_update()
        ).all()
        for item in items:
            item.batch_id = None
            item.fencing_token += 1
            failures.rest_or_fail(item)


def stop_this_process() -> None:
    """Every run of this process ends at its next chunk, with its item ready to be resumed."""
    _stopping.set()


def carry_out(run: ItemRun, step: str) -> None:
    """Do the steps of an item until it is over or has to wait. Afterwards no worker holds it."""
    following: str | None = step
    with item_run.active(run):
        for _ in range(MOST_STEPS):
            if following is None:
                break
            following = _do(run, following)
    if not run.is_over:
        with unit_of_work(relaxed_durability=True) as writing:
            writing.execute(
                update(TransferItem)
                .where(TransferItem.id == run.item_id, TransferItem.fencing_token == run.fencing_token)
                .values(batch_id=None)
                .execution_options(synchronize_session=False)
            )


def _do(run: ItemRun, step: str) -> str | None:
    """Do one step; returns the next one. An error becomes a change of the row."""
    try:
        if run.is_stopping:
            failures.hand_back(run)
            return None
        run.require_allowed(is_stored=step == "land")
        return STEPS[step](run)
    except TakenOverError:
        return None
    except Exception as error:
        session().rollback()
        return _after(error, run)


def _after(error: Exception, run: ItemRun) -> str | None:
    try:
        return "resolve" if failures.put_on_row(error, run) else None
    except TakenOverError:
        return None
