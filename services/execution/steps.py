"""Carry out claimed items, step by step. Every step reads the row first, so it can be repeated after a crash.

get:  fetch -> land
save: send -> (resolve, where the answer or the worker was lost)
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from models import TransferItem
from services.connections.tokens import AccessCache
from services.core.unit_of_work import session, unit_of_work
from services.execution import failures, get, item_run, outcome, queue, save
from services.execution.authorization import AuthorizationSnapshot
from services.execution.item_run import Claim, ItemRun, Limiter, TakenOverError
from services.transfers.states import LIVE

MOST_STEPS = 12
STEPS = {"fetch": get.fetch, "land": get.land, "send": save.send, "resolve": outcome.resolve}
_stopping = threading.Event()


def begin(claims: Mapping[uuid.UUID, int], limiter: Limiter) -> list[tuple[ItemRun, str]]:
    """A run for each claimed item, with the step at which it begins or is resumed."""
    rows = item_run.read(claims.keys())
    snapshot = AuthorizationSnapshot({row.transfer_id for row in rows})
    caches = {(row.member_id, row.server_id): AccessCache() for row in rows}
    return [
        (
            ItemRun(
                task=item_run.task_of(row),
                fencing_token=claims[row.id],
                outgoing=item_run.outgoing_of(row),
                cache=caches[row.member_id, row.server_id],
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


def retry_or_fail(claims: Collection[Claim]) -> None:
    """For runs that ended in an error that they could not record, such as one of the database: release, retry later."""
    tokens = {claim.item_id: claim.fencing_token for claim in claims}
    with unit_of_work() as writing:
        items = writing.scalars(
            select(TransferItem)
            .where(TransferItem.id.in_(tokens), TransferItem.state.in_(LIVE))
            .order_by(TransferItem.transfer_id, TransferItem.position)
            .with_for_update()
        ).all()
        for item in items:
            if item.fencing_token == tokens[item.id]:
                item.worker_id = None
                item.fencing_token += 1
                failures.retry_or_fail(item)


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
        queue.release(run.item_id, run.fencing_token)


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
        return "resolve" if failures.record_error(error, run) else None
    except TakenOverError:
        return None
