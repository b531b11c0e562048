"""What a worker does with a transfer item, a step at a time. Every step looks at the row first, so each may come twice.

begin -> fetch -> land                          (get)
begin -> announce -> send -> settle             (save)
                      |-> look_up -> settle     (its answer was lost, or the worker was)
"""

from __future__ import annotations

import threading
import uuid

from sqlalchemy import update

from models import TransferItem
from services import transfer_failing, transfer_get, transfer_save, transfer_settle
from services.transfer_running import Running, TakenOver, fresh
from services.transfer_states import LIVE, LOOKING_UP, RUNNING, WAITING, move
from services.unit import session, unit

BEGIN, END = "begin", "end"
MOST_STEPS = 12
STEPS = {
    "fetch": transfer_get.fetch,
    "land": transfer_get.land,
    "announce": transfer_save.announce,
    "send": transfer_save.send,
    "look_up": transfer_settle.look_up,
    "settle": transfer_settle.settle,
}
ENDS_WITHOUT_ASKING = frozenset({"settle"})
"""What iManage has stored is put on record whatever has been switched off since."""
_stopping = threading.Event()


def claim(item_id: uuid.UUID) -> int:
    """Take the item over: whoever held it before finds a higher fence and stops."""
    with unit() as writing:
        fence = writing.scalar(
            update(TransferItem)
            .where(TransferItem.id == item_id)
            .values(fence=TransferItem.fence + 1)
            .returning(TransferItem.fence)
        )
    return fence or 0


def fell_over(item_id: uuid.UUID, seen: int) -> None:
    """A run ended in an error that it could not put on the row, such as one of the database's."""
    with unit() as writing:
        item = writing.get(TransferItem, item_id, with_for_update=True)
        if item is not None and item.run == seen and item.state in LIVE:
            item.run += 1
            item.fence += 1
            transfer_failing.rest_or_fail(item)


def stop_this_process() -> None:
    """Every running step of this process ends at its next chunk and leaves its item to be gone on with."""
    _stopping.set()


def carry(item_id: uuid.UUID) -> None:
    """Take the item over and do its steps, from where its row stands to its end or to where it has to wait."""
    try:
        with unit(soon=True):
            running = Running(item_id, claim(item_id), _stopping, in_one_go=True)
            step = _begin(running)
    except TakenOver:
        return  # The matter it belonged to has been deleted.
    for _ in range(MOST_STEPS):
        if step == END:
            break
        step = _step(running, step)


def advance(item_id: uuid.UUID, step: str, fence: int) -> str:
    """Do one step; returns the next one's name, or END. What goes wrong is on the row, not in an exception."""
    return _step(Running(item_id, fence, _stopping), step)


def _step(running: Running, step: str) -> str:
    try:
        if _stopping.is_set():
            transfer_failing.hand_back(running)
            return END
        if step == BEGIN:
            return _begin(running)
        if step not in ENDS_WITHOUT_ASKING:
            running.require_allowed()
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
        kind = item.transfer.kind
        if kind == "get":
            step = "land" if item.sha256 else "fetch"
        elif item.receipt:
            step = "settle"
        elif item.sent_at:
            step = "look_up"
        else:
            step = "send" if item.announced_at else "announce"
        if item.state == WAITING:
            move(item, LOOKING_UP if step == "look_up" else RUNNING)
    return step


def _after(error: Exception, running: Running) -> str:
    try:
        return "look_up" if transfer_failing.put_on_row(error, running) else END
    except TakenOver:
        return END
