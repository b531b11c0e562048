"""What a worker does with a transfer item, a step at a time. Every step looks at the row first, so each may come twice.

begin -> fetch -> land                          (get)
begin -> announce -> send -> settle             (save)
                      |-> look_up -> settle     (its answer was lost, or the worker was)
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update

from models import Connection, Transfer, TransferItem, Version
from services.connections.clients import Line
from services.core.unit_of_work import release, session, unit_of_work
from services.core.writer_process import record
from services.execution import failures, outcome
from services.execution import get as execution_get
from services.execution import save as execution_save
from services.execution.authorization import AuthorizationSnapshot
from services.execution.item_run import ItemRun, TakenOverError, fresh, under_way
from services.execution.queue import is_due
from services.execution.tasks import TASK, Outgoing, task_of
from services.transfers.states import LIVE, ItemState, move

BEGIN, END = "begin", "end"
MOST_STEPS = 12
STEPS = {
    "fetch": execution_get.fetch,
    "land": execution_get.land,
    "announce": execution_save.announce,
    "send": execution_save.send,
    "look_up": outcome.look_up,
    "settle": outcome.settle,
}
ENDS_WITHOUT_ASKING = frozenset({"settle"})
"""What iManage has stored is put on record whatever has been switched off since."""
_stopping = threading.Event()
_BEGUN = (
    TASK.add_columns(
        TransferItem.sha256,
        TransferItem.receipt,
        TransferItem.sent_at,
        TransferItem.announced_at,
        Version.file_name,
        Version.size.label("version_size"),
        Version.sha256.label("version_sha256"),
        Connection.imanage_user,
    )
    .outerjoin(Version, Version.id == TransferItem.version_id)
    .outerjoin(
        Connection,
        (Connection.member_id == Transfer.member_id) & (Connection.server_id == Transfer.server_id),
    )
    .where(TransferItem.id.in_(bindparam("ids", expanding=True)), TransferItem.state.in_(LIVE))
)


def claim(*which: ColumnElement[bool]) -> dict[uuid.UUID, int]:
    """Take items over, in the open unit: whoever held one before finds a higher fence and stops."""
    rows = session().execute(
        update(TransferItem)
        .where(*which)
        .values(fencing_token=TransferItem.fencing_token + 1, wait_until=None)
        .returning(TransferItem.id, TransferItem.fencing_token)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.fencing_token for row in rows}


def claim_batch(batch_id: uuid.UUID) -> list[tuple[ItemRun, str]]:
    """Take over what can be carried now of a load, each with the step at which its row stands."""
    return _begun(record(_claim_batch, batch_id))


def take_item(item_id: uuid.UUID) -> list[tuple[ItemRun, str]]:
    """Take one item over, where it is live."""
    return _begun(record(_claim_item, item_id))


def _claim_batch(batch_id: uuid.UUID) -> dict[uuid.UUID, int]:
    with unit_of_work(relaxed_durability=True):
        return claim(TransferItem.batch_id == batch_id, is_due(), TransferItem.state.in_(LIVE))


def _claim_item(item_id: uuid.UUID) -> dict[uuid.UUID, int]:
    with unit_of_work(relaxed_durability=True):
        return claim(TransferItem.id == item_id, TransferItem.state.in_(LIVE))


def _begun(fences: Mapping[uuid.UUID, int]) -> list[tuple[ItemRun, str]]:
    """They are read when they are ours: whoever takes one over meanwhile has a higher fence, and we stop."""
    release()  # what was read before is of before
    rows = session().execute(_BEGUN, {"ids": list(fences)}).all() if fences else []
    release()
    standings = AuthorizationSnapshot({row.transfer_id for row in rows})
    lines: dict[tuple[uuid.UUID, uuid.UUID | None], Line] = {}
    found = []
    for row in rows:
        run = ItemRun(task_of(row), fences[row.id], standings, _stopping, in_one_go=True)
        run.line = lines.setdefault((row.member_id, row.server_id), run.line)
        if row.kind == "save" and row.file_name is not None:
            run.outgoing = Outgoing(row.file_name, row.version_size, row.version_sha256, row.imanage_user)
        found.append((run, _step_of(row.kind, row)))
    return found


def fell_over(batch_id: uuid.UUID) -> None:
    """A run ended in an error that it could not put on the rows, such as one of the database's."""
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
    """Every running step of this process ends at its next chunk and leaves its item to be gone on with."""
    _stopping.set()


def carry(item_id: uuid.UUID) -> None:
    """Take the item over and do its steps, from where its row stands to its end or to where it has to wait."""
    for run, step in take_item(item_id):
        carry_out(run, step)


def carry_out(run: ItemRun, step: str) -> None:
    """The steps of an item that was taken over. Where it is not over then, it is nobody's."""
    with under_way(run):
        for _ in range(MOST_STEPS):
            if step == END:
                break
            step = _step(run, step)
    if run.task.batch_id is not None and not run.is_over:
        with unit_of_work(relaxed_durability=True) as writing:
            writing.execute(
                update(TransferItem)
                .where(TransferItem.id == run.item_id, TransferItem.fencing_token == run.fencing_token)
                .values(batch_id=None)
                .execution_options(synchronize_session=False)
            )


def advance(item_id: uuid.UUID, step: str, fencing_token: int) -> str:
    """Do one step; returns the next one's name, or END. What goes wrong is on the row, not in an exception."""
    row = session().execute(TASK.where(TransferItem.id == item_id)).one_or_none()
    if row is None:
        return END
    task = task_of(row)
    return _step(ItemRun(task, fencing_token, AuthorizationSnapshot({task.transfer_id}), _stopping), step)


def _step(run: ItemRun, step: str) -> str:
    try:
        if _stopping.is_set() and run.stored is None:
            failures.hand_back(run)
            return END
        if step == BEGIN:
            return _begin(run)
        if step not in ENDS_WITHOUT_ASKING:
            run.require_allowed(is_stored=step == "land")
        return STEPS[step](run) or END
    except TakenOverError:
        return END
    except Exception as error:
        session().rollback()
        return _after(error, run)


def _begin(run: ItemRun) -> str:
    """The step at which the row stands: after a crash, or after a wait, it is not the first."""
    with unit_of_work():
        item = fresh(run)
        if item.state not in LIVE:
            return END
        item.wait_until = None
        step = _step_of(run.task.kind, item)
        if item.state == ItemState.WAITING:
            move(item, ItemState.LOOKING_UP if step == "look_up" else ItemState.RUNNING)
    return step


def _step_of(kind: str, item: Any) -> str:
    if kind == "get":
        return "land" if item.sha256 else "fetch"
    if item.receipt:
        return "settle"
    if item.sent_at:
        return "look_up"
    return "send" if item.announced_at else "announce"


def _after(error: Exception, run: ItemRun) -> str:
    try:
        return "look_up" if failures.put_on_row(error, run) else END
    except TakenOverError:
        return END
