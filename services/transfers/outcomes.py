"""The outcome of each document of a transfer, and the verdict on all of them. Pure.

services/guidance/outcomes.py has them in words.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from services.transfers.states import ItemState

CANCELLED_CODE, LEFT_CODE = "transfer.cancelled", "transfer.left"
NOT_CHANGED_BY_A_RETRY = (
    CANCELLED_CODE,
    "imanage.rejected",
    "imanage.too_large",
    "imanage.bad_id",
    "imanage.not_found",
    "transfer.stored_different",
    "transfer.too_long",
    "transfer.not_saved",
    "document.gone",
    "server.removed",
    "matter.role",
)
"""Error codes, and prefixes of more specific ones, that a retry cannot change."""


class Outcome(StrEnum):
    """Stored with a finished item if its state does not imply it; derived from the row otherwise."""

    ADDED = "added"
    NEW_VERSION = "new_version"
    IN_HISTORY = "in_history"
    HERE_ALREADY = "here_already"
    SAVED = "saved"
    REPLACED = "replaced"
    THERE_ALREADY = "there_already"
    DIFFERENT = "different"
    UNSURE = "unsure"
    FAILED = "failed"
    LEFT = "left"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    DECISION = "decision"
    SIGN_IN = "sign_in"
    MOVING = "moving"
    WAITING = "waiting"


WELL = frozenset(
    {
        Outcome.ADDED,
        Outcome.NEW_VERSION,
        Outcome.IN_HISTORY,
        Outcome.HERE_ALREADY,
        Outcome.SAVED,
        Outcome.REPLACED,
        Outcome.THERE_ALREADY,
    }
)
LIVE = frozenset({Outcome.DECISION, Outcome.SIGN_IN, Outcome.MOVING, Outcome.WAITING})
FAILURES = frozenset({Outcome.FAILED, Outcome.UNSURE, Outcome.DIFFERENT})


def outcome_of(kind: str, state: ItemState, kept: str, error_code: str, *, may_have_arrived: bool) -> Outcome:
    """`kept` is the stored outcome of a finished item; `may_have_arrived`: a send whose outcome was never resolved."""
    if state == ItemState.DONE:
        return Outcome(kept) if kept else Outcome.ADDED if kind == "get" else Outcome.SAVED
    if state in {ItemState.FAILED, ItemState.STOPPED}:
        if error_code in {"transfer.stored_different", "transfer.different"}:
            return Outcome.DIFFERENT
        if may_have_arrived:
            return Outcome.UNSURE
        if state == ItemState.FAILED:
            return Outcome.FAILED
        return {CANCELLED_CODE: Outcome.CANCELLED, LEFT_CODE: Outcome.LEFT}.get(error_code, Outcome.STOPPED)
    return {
        ItemState.NEEDS_DECISION: Outcome.DECISION,
        ItemState.NEEDS_SIGN_IN: Outcome.SIGN_IN,
        ItemState.WAITING: Outcome.WAITING,
    }.get(state, Outcome.MOVING)


def may_retry(state: ItemState, error_code: str, *, may_have_arrived: bool) -> bool:
    """Whether the same request could succeed now. What a person stopped is not retried.

    A send with an unknown outcome is resolved before it is retried.
    """
    if state not in {ItemState.FAILED, ItemState.STOPPED} or error_code == LEFT_CODE:
        return False
    return may_have_arrived or not any(
        error_code == code or error_code.startswith(f"{code}.") for code in NOT_CHANGED_BY_A_RETRY
    )


class Verdict(StrEnum):
    """How a transfer ended."""

    FINISHED = "finished"
    PARTLY_FAILED = "partly_failed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    SKIPPED = "skipped"


def verdict(outcomes: Collection[Outcome]) -> Verdict:
    """The verdict on a finished transfer, by the outcomes of its documents."""
    found = set(outcomes)
    if found & FAILURES:
        return Verdict.PARTLY_FAILED if found & WELL else Verdict.FAILED
    if Outcome.CANCELLED in found:
        return Verdict.CANCELLED
    if Outcome.STOPPED in found:
        return Verdict.STOPPED
    return Verdict.FINISHED if found & WELL else Verdict.SKIPPED
