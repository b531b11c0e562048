"""From an error in a step to the state of its item: it waits, needs a sign-in, is resolved, is stopped, or fails."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from copying import retry
from copying.errors import StoppedError, TransferError, UncertainOutcomeError
from imanage.errors import ImanageError
from models import TransferItem, utcnow
from services.access.server_access import ONLY_SERVER
from services.connections.tokens import sentence_for
from services.core import audit
from services.core.actor import SYSTEM
from services.core.errors import RefusedError, SignInNeededError
from services.core.unit_of_work import unit_of_work
from services.execution.authorization import PausedError
from services.execution.item_run import ItemRun, current
from services.guidance.imanage_errors import remote_refusal
from services.guidance.outcomes import CHECK_ARRIVED
from services.guidance.refusals import refusal
from services.servers import circuit_breaker
from services.transfers import lifecycle
from services.transfers.states import LIVE, UNCERTAIN_FOR_GOOD, ItemState, move
from storage import StorageError

log = structlog.get_logger()

UNEXPECTED_ATTEMPTS = 5
UNEXPECTED_WAIT_SECONDS = 5.0


def record_error(error: Exception, run: ItemRun) -> bool:
    """Record what follows from an error. True where the outcome of a send must be resolved at once.

    Raises TakenOverError.
    """
    if isinstance(error, PausedError) or (isinstance(error, StoppedError) and run.stop_reason is None):
        hand_back(run)
        return False
    with unit_of_work():
        item = current(run)
        if item.state not in LIVE:
            return False
        refusal = _refusal(error, item.transfer.kind)
        lifecycle.set_error(item, refusal)
        _count_against_server(item, refusal, error)
        if isinstance(error, SignInNeededError):
            return _apply(retry.SignIn(), item)
        if refusal.code in circuit_breaker.FOR_THE_ADMIN:
            _to_waiting(item)
            return False
        if isinstance(error, RefusedError | StoppedError):
            _end(item, ItemState.STOPPED)
            return False
        return _apply(_decide(error, item), item)


def hand_back(run: ItemRun) -> None:
    """The process ends, or the transfer is paused: the item waits. An interrupted send is resolved afterwards."""
    with unit_of_work():
        _to_waiting(current(run))


def _to_waiting(item: TransferItem) -> None:
    if item.state in LIVE and item.sent_at is None:
        move(item, ItemState.WAITING)


def retry_or_fail(item: TransferItem) -> None:
    """After an error that its own run could not record: wait, longer each time, then fail."""
    lifecycle.set_error(item, _refusal(RuntimeError(), item.transfer.kind))
    again = item.attempt < UNEXPECTED_ATTEMPTS
    _apply(retry.Wait(UNEXPECTED_WAIT_SECONDS * 2**item.attempt) if again else retry.GiveUp(), item)


def _count_against_server(item: TransferItem, refusal: RefusedError, error: Exception) -> None:
    """A fault of the network or of the server counts in its circuit breaker, for all members."""
    cause, server_id = (
        error.cause if isinstance(error, UncertainOutcomeError) else error,
        item.transfer.server_id,
    )
    if server_id is None:
        return
    if isinstance(cause, ImanageError):
        circuit_breaker.record_failure(
            server_id, cause.code, getattr(refusal, "ours", refusal.sentence), cause.wait_seconds
        )
    elif refusal.code in circuit_breaker.FOR_THE_ADMIN:
        circuit_breaker.record_failure(server_id, refusal.code, refusal.text, None)


def _apply(decision: retry.Decision, item: TransferItem) -> bool:
    match decision:
        case retry.Resolve():
            move(item, ItemState.RESOLVING)
            return True
        case retry.Wait(seconds=seconds):
            item.attempt += 1
            item.wait_until = utcnow() + timedelta(seconds=seconds)
            _to_waiting(item)
        case retry.SignIn():
            if item.sent_at is not None:
                move(item, ItemState.RESOLVING)
            move(item, ItemState.NEEDS_SIGN_IN)
        case retry.GiveUp():
            _end(item, ItemState.FAILED)
    return False


def _decide(error: Exception, item: TransferItem) -> retry.Decision:
    if hasattr(error, "retry"):
        return retry.decide(error, item.attempt + 1)
    log.error("transfer.unexpected", item=str(item.id), exc_info=error)
    if item.attempt >= UNEXPECTED_ATTEMPTS:
        return retry.GiveUp()
    # An error of ours during a send does not tell what arrived.
    return (
        retry.Resolve()
        if item.state == ItemState.SENDING and not item.receipt
        else retry.Wait(UNEXPECTED_WAIT_SECONDS)
    )


def _end(item: TransferItem, state: ItemState) -> None:
    """End the item. Where a send may have arrived it has failed, not stopped, and the member is asked to check."""
    if lifecycle.may_have_arrived(item):
        item.next_step = f"{CHECK_ARRIVED} {item.next_step}".strip()[:600]
        state = ItemState.FAILED
    move(item, state)
    item.wait_until = None
    transfer = item.transfer
    lifecycle.finish_if_over(transfer)
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


def _refusal(error: Exception, kind: str) -> RefusedError:
    """The refusal, without the server's name: all participants of the matter read the row, and not all may know it."""
    if isinstance(error, SignInNeededError):
        sentence = sentence_for(error.reason, ONLY_SERVER)
        return SignInNeededError(sentence, server_id=error.server_id, reason=error.reason)
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, UncertainOutcomeError) and error.last_word is not None:
        said = _refusal(error.last_word, kind)
        return refusal(RefusedError, UNCERTAIN_FOR_GOOD, because=said.sentence, next_step=said.next_step)
    if isinstance(error, ImanageError):
        return remote_refusal(error, ONLY_SERVER, "saving" if kind == "save" else "reading")
    if isinstance(error, TransferError | StorageError):
        return refusal(RefusedError, error.code, getattr(error, "what", ""), **vars(error))
    lost = isinstance(error, DBAPIError)
    return refusal(RefusedError, "transfer.database" if lost else "transfer.unexpected")
