"""The outcome of each document of a transfer, and the sentence that sums them up. Pure.

Page, list, notices, mail, CSV and audit log all use these words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.transfers.states import LABELS, ItemState

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

_ONE: dict[str, dict[Outcome, str]] = {
    "get": {
        Outcome.ADDED: "{name} arrived from {label}.",
        Outcome.NEW_VERSION: "{name} arrived from {label} as a new version.",
        Outcome.IN_HISTORY: "{name} arrived from {label} as an older version. It was not made current.",
        Outcome.HERE_ALREADY: "{name} is already here, so nothing was added.",
        Outcome.DIFFERENT: "{name} from {label} did not match its listed details, so it was not kept.",
        Outcome.FAILED: "We could not get {name} from {label}.",
        Outcome.CANCELLED: "The transfer of {name} from {label} was cancelled.",
        Outcome.STOPPED: "The transfer of {name} from {label} was stopped.",
        Outcome.MOVING: "{name} is on its way from {label}.",
        Outcome.WAITING: "{name} is waiting to transfer from {label}.",
        Outcome.SIGN_IN: "{name} is waiting for a sign-in to {label}.",
    },
    "save": {
        Outcome.SAVED: "{name} was saved to {label}.",
        Outcome.REPLACED: "{name} replaced {version} in {label}.",
        Outcome.THERE_ALREADY: "{name} is already in {label}, so nothing was saved.",
        Outcome.DIFFERENT: "The copy of {name} stored in {label} differs from the one sent.",
        Outcome.UNSURE: "We do not know whether {name} was saved to {label}.",
        Outcome.FAILED: "We could not save {name} to {label}.",
        Outcome.LEFT: "{name} was skipped: nothing more was sent to {label}.",
        Outcome.CANCELLED: "The transfer of {name} to {label} was cancelled.",
        Outcome.STOPPED: "The transfer of {name} to {label} was stopped.",
        Outcome.DECISION: "{name} is waiting for a decision.",
        Outcome.MOVING: "{name} is on its way to {label}.",
        Outcome.WAITING: "{name} is waiting to be saved to {label}.",
        Outcome.SIGN_IN: "{name} is waiting for a sign-in to {label}.",
    },
}
_ALL: dict[Outcome, str] = {
    Outcome.ADDED: "All {count} documents arrived from {label}.",
    Outcome.IN_HISTORY: "All {count} documents arrived from {label} as older versions. None was made current.",
    Outcome.HERE_ALREADY: "All {count} documents are already here, so nothing was added.",
    Outcome.SAVED: "All {count} documents were saved to {label}.",
    Outcome.REPLACED: "All {count} documents replaced the latest versions in {label}.",
    Outcome.THERE_ALREADY: "All {count} documents are already in {label}, so nothing was saved.",
}
_COUNTED: dict[Outcome, str] = {
    Outcome.ADDED: "arrived",
    Outcome.IN_HISTORY: "added to the history",
    Outcome.HERE_ALREADY: "already here",
    Outcome.SAVED: "saved",
    Outcome.REPLACED: "replaced the latest version",
    Outcome.THERE_ALREADY: "already in iManage",
    Outcome.DIFFERENT: "different from expected",
    Outcome.UNSURE: "unknown",
    Outcome.FAILED: "failed",
    Outcome.LEFT: "skipped",
    Outcome.CANCELLED: "cancelled",
    Outcome.STOPPED: "stopped",
    Outcome.DECISION: "waiting for a decision",
    Outcome.SIGN_IN: "waiting for a sign-in",
    Outcome.MOVING: "in progress",
    Outcome.WAITING: "waiting",
}
_LABELS: dict[Outcome, str] = {
    Outcome.HERE_ALREADY: "Already here",
    Outcome.THERE_ALREADY: "Already in iManage",
    Outcome.REPLACED: "Replaced",
    Outcome.UNSURE: "Unknown",
    Outcome.LEFT: "Skipped",
    Outcome.CANCELLED: "Cancelled",
}


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


def label_of(state: ItemState, outcome: Outcome) -> str:
    """The label of a row's badge."""
    return _LABELS.get(outcome, LABELS[state])


def summary(kind: str, label: str, counts: Mapping[Outcome, int], name: str, replaced: str = "") -> str:
    """The transfer in a sentence: one document by its `name`, several counted by outcome.

    `replaced` is the number of the version in iManage that one document replaced; may be empty.
    """
    total = sum(counts.values())
    if total == 1:
        (outcome,) = counts
        version = f"version {replaced}" if replaced else "the latest version"
        return _ONE[kind][outcome].format(name=name, label=label, version=version)
    merged: dict[Outcome, int] = {}
    for outcome in Outcome:
        if counts.get(outcome):
            as_ = Outcome.ADDED if outcome is Outcome.NEW_VERSION else outcome
            merged[as_] = merged.get(as_, 0) + counts[outcome]
    if len(merged) == 1 and (only := next(iter(merged))) in _ALL:
        return _ALL[only].format(count=total, label=label)
    way = "from" if kind == "get" else "to"
    parts = ", ".join(f"{count} {_COUNTED[outcome]}" for outcome, count in merged.items())
    return f"{total} documents {way} {label}: {parts}."


@dataclass(frozen=True)
class Verdict:
    """A finished transfer as a label and a tone."""

    label: str
    tone: str


def verdict(outcomes: Collection[Outcome]) -> Verdict:
    """The verdict on a finished transfer, by the outcomes of its documents."""
    found = set(outcomes)
    if found & FAILURES:
        return Verdict("Partly failed" if found & WELL else "Failed", "danger")
    if Outcome.CANCELLED in found:
        return Verdict("Cancelled", "neutral")
    if Outcome.STOPPED in found:
        return Verdict("Stopped", "neutral")
    if found & WELL:
        return Verdict("Finished", "success")
    return Verdict("Skipped", "neutral")
