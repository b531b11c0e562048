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
from services.core.unit_of_work import release, session, unit
from services.core.writer_process import record
from services.execution import failures, outcome
from services.execution import get as execution_get
from services.execution import save as execution_save
from services.execution.authorization import Standings
from services.execution.item_run import Running, TakenOver, fresh, under_way
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
        .values(fence=TransferItem.fence + 1, wait_until=None)
        .returning(TransferItem.id, TransferItem.fence)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.fence for row in rows}


def take_load(load_id: uuid.UUID) -> list[tuple[Running, str]]:
    """Take over what can be carried now of a load, each with the step at which its row stands."""
    return _begun(record(_claim_load, load_id))


def take_item(item_id: uuid.UUID) -> list[tuple[Running, str]]:
    """Take one item over, where it is live."""
    return _begun(record(_claim_item, item_id))


def _claim_load(load_id: uuid.UUID) -> dict[uuid.UUID, int]:
    with unit(soon=True):
        return claim(TransferItem.load_id == load_id, is_due(), TransferItem.state.in_(LIVE))


def _claim_item(item_id: uuid.UUID) -> dict[uuid.UUID, int]:
    with unit(soon=True):
        return claim(TransferItem.id == item_id, TransferItem.state.in_(LIVE))


def _begun(fences: Mapping[uuid.UUID, int]) -> list[tuple[Running, str]]:
    """They are read when they are ours: whoever takes one over meanwhile has a higher fence, and we stop."""
    release()  # what was read before is of before
    rows = session().execute(_BEGUN, {"ids": list(fences)}).all() if fences else []
    release()
    standings = Standings({row.transfer_id for row in rows})
    lines: dict[tuple[uuid.UUID, uuid.UUID | None], Line] = {}
    found = []
    for row in rows:
        running = Running(task_of(row), fences[row.id], standings, _stopping, in_one_go=True)
        running.line = lines.setdefault((row.member_id, row.server_id), running.line)
        if row.kind == "save" and row.file_name is not None:
            running.outgoing = Outgoing(row.file_name, row.version_size, row.version_sha256, row.imanage_user)
        found.append((running, _step_of(row.kind, row)))
    return found


def fell_over(load_id: uuid.UUID) -> None:
    """A run ended in an error that it could not put on the rows, such as one of the database's."""
    with unit() as writing:
        items = writing.scalars(
            select(TransferItem)
            .where(TransferItem.load_id == load_id, TransferItem.state.in_(LIVE))
            .order_by(TransferItem.transfer_id, TransferItem.position)
            .with_for_update()
        ).all()
        for item in items:
            item.load_id = None
            item.fence += 1
            failures.rest_or_fail(item)


def stop_this_process() -> None:
    """Every running step of this process ends at its next chunk and leaves its item to be gone on with."""
    _stopping.set()


def carry(item_id: uuid.UUID) -> None:
    """Take the item over and do its steps, from where its row stands to its end or to where it has to wait."""
    for running, step in take_item(item_id):
        carry_out(running, step)


def carry_out(running: Running, step: str) -> None:
    """The steps of an item that was taken over. Where it is not over then, it is nobody's."""
    with under_way(running):
        for _ in range(MOST_STEPS):
            if step == END:
                break
            step = _step(running, step)
    if running.task.load_id is not None and not running.is_over:
        with unit(soon=True) as writing:
            writing.execute(
                update(TransferItem)
                .where(TransferItem.id == running.item_id, TransferItem.fence == running.fence)
                .values(load_id=None)
                .execution_options(synchronize_session=False)
            )


def advance(item_id: uuid.UUID, step: str, fence: int) -> str:
    """Do one step; returns the next one's name, or END. What goes wrong is on the row, not in an exception."""
    row = session().execute(TASK.where(TransferItem.id == item_id)).one_or_none()
    if row is None:
        return END
    task = task_of(row)
    return _step(Running(task, fence, Standings({task.transfer_id}), _stopping), step)


def _step(running: Running, step: str) -> str:
    try:
        if _stopping.is_set() and running.stored is None:
            failures.hand_back(running)
            return END
        if step == BEGIN:
            return _begin(running)
        if step not in ENDS_WITHOUT_ASKING:
            running.require_allowed(is_stored=step == "land")
        return STEPS[step](running) or END
    except TakenOver:
        return END
    except Exception as error:
        session().rollback()
        return _after(error, running)


def _begin(running: Running) -> str:
    """The step at which the row stands: after a crash, or after a wait, it is not the first."""
    with unit():
        item = fresh(running)
        if item.state not in LIVE:
            return END
        item.wait_until = None
        step = _step_of(running.task.kind, item)
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


def _after(error: Exception, running: Running) -> str:
    try:
        return "look_up" if failures.put_on_row(error, running) else END
    except TakenOver:
        return END
