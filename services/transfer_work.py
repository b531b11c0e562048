"""What a worker does with a transfer item, a step at a time. Every step looks at the row first, so each may come twice.

begin -> fetch -> land                          (get)
begin -> announce -> send -> settle             (save)
                      |-> look_up -> settle     (its answer was lost, or the worker was)
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import or_, select, update

from imanage.errors import ImanageError
from imanage.errors import Stopped as ClientStopped
from models import Transfer, TransferItem, utcnow
from services import audit, transfer_get, transfer_save, transfers
from services.actor import SYSTEM
from services.errors import Refusal, SignInNeeded
from services.remote_errors import remote_refusal
from services.transfer_running import Running, TakenOver, fresh
from services.transfer_states import FAILED, LIVE, LOOKING_UP, NEEDS_SIGN_IN, RUNNING, STOPPED, WAITING, move
from services.unit import session, unit
from transfers import retrying
from transfers.errors import Stopped

log = structlog.get_logger()

BEGIN, END = "begin", "end"
STEPS = {
    "fetch": transfer_get.fetch,
    "land": transfer_get.land,
    "announce": transfer_save.announce,
    "send": transfer_save.send,
    "look_up": transfer_save.look_up,
    "settle": transfer_save.settle,
}
ENDS_WITHOUT_ASKING = frozenset({"settle"})
"""What iManage has stored is put on record whatever has been switched off since."""
UNEXPECTED_ATTEMPTS = 5
_stopping = threading.Event()


@dataclass(frozen=True)
class Due:
    id: uuid.UUID
    run: int


def due(limit: int) -> tuple[Due, ...]:
    """Items that a worker should be carrying now, oldest first."""
    rows = session().execute(
        select(TransferItem.id, TransferItem.run)
        .join(Transfer)
        .where(
            TransferItem.state.in_(LIVE),
            or_(TransferItem.wait_until.is_(None), TransferItem.wait_until <= utcnow()),
        )
        .order_by(Transfer.created_at, TransferItem.position)
        .limit(limit)
    )
    return tuple(Due(*row) for row in rows)


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


def stop_this_process() -> None:
    """Every running step of this process ends at its next chunk and leaves its item to be gone on with."""
    _stopping.set()


def advance(item_id: uuid.UUID, step: str, fence: int) -> str:
    """Do one step; returns the next one's name, or END. What goes wrong is on the row, not in an exception."""
    running = Running(item_id, fence, _stopping)
    try:
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
        return _put_on_row(error, running)
    except TakenOver:
        return END


def _put_on_row(error: Exception, running: Running) -> str:
    """What went wrong decides: wait, ask for a sign-in, look it up, stop, or fail."""
    if isinstance(error, Stopped | ClientStopped) and running.reason is None:
        return _hand_back(running)
    with unit():
        item = fresh(running)
        if item.state not in LIVE:
            return END
        refusal = _refusal(error, item.transfer.server_name)
        item.error_code, item.error_sentence = refusal.code[:80], refusal.sentence[:600]
        item.next_step = refusal.next_step[:600]
        if isinstance(error, SignInNeeded):
            decision: retrying.Decision = retrying.SignIn()
        elif isinstance(error, Refusal | Stopped | ClientStopped):
            return _stop(item, error)
        else:
            decision = _decide(error, item)
        return _carry_out(decision, item)


def _carry_out(decision: retrying.Decision, item: TransferItem) -> str:
    match decision:
        case retrying.Wait(seconds=seconds):
            item.attempt += 1
            item.wait_until = utcnow() + timedelta(seconds=seconds)
            if item.sent_at is None:
                move(item, WAITING)
            return END
        case retrying.SignIn():
            if item.sent_at is not None:
                move(item, LOOKING_UP)
            move(item, NEEDS_SIGN_IN)
            return END
        case retrying.LookUp():
            move(item, LOOKING_UP)
            return "look_up"
    return _over(item, FAILED)


def _decide(error: Exception, item: TransferItem) -> retrying.Decision:
    if hasattr(error, "retry"):
        return retrying.decide(error, item.attempt + 1)
    log.error("transfer.unexpected", item=str(item.id), exc_info=error)
    if item.sent_at is not None and item.receipt is None:
        # A fault of ours after a send says nothing of what arrived.
        return retrying.LookUp() if item.attempt < UNEXPECTED_ATTEMPTS else retrying.GiveUp()
    return retrying.Wait(5.0) if item.attempt < UNEXPECTED_ATTEMPTS else retrying.GiveUp()


def _stop(item: TransferItem, error: Exception) -> str:
    """Stopped by a person or by a rule. Where a send may have arrived, that is looked up, not forgotten."""
    if item.sent_at is not None and item.receipt is None and not isinstance(error, Stopped | ClientStopped):
        item.next_step = (
            "It was being saved when it was stopped: look in iManage whether it arrived. " + item.next_step
        )
        return _over(item, FAILED)
    return _over(item, STOPPED)


def _over(item: TransferItem, state: str) -> str:
    if item.state == LOOKING_UP and state == STOPPED:
        state = FAILED
    move(item, state)
    item.wait_until = None
    transfer = item.transfer
    transfers.finish_if_over(transfer)
    audit.record(
        SYSTEM,
        f"transfer.item_{state}",
        item.name,
        subject_id=item.id,
        matter_id=transfer.matter_id,
        server_id=transfer.server_id,
        outcome="failed",
        code=item.error_code,
        sentence=item.error_sentence,
    )
    return END


def _hand_back(running: Running) -> str:
    """This process is going down. The item waits for the next one; a send that was cut is looked up there."""
    with unit():
        item = fresh(running)
        if item.state in LIVE and item.sent_at is None:
            move(item, WAITING)
    return END


def _refusal(error: Exception, label: str) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ImanageError) and not isinstance(error, ClientStopped):
        return remote_refusal(error, label)
    sentence = getattr(error, "sentence", "")
    if sentence:
        return Refusal(sentence, code=getattr(error, "code", "transfer.failed"))
    return Refusal(
        "Counterpart met an error that it did not expect.",
        code="transfer.unexpected",
        next_step="Try again. If it happens again, tell your System Admin.",
    )
