"""Transfers, their documents and twins in words: what pages, emails, CSV and the audit log share.

Keyed by the values of ItemState, Outcome and TwinState, which are of a higher layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.transfers.outcomes import Outcome
    from services.transfers.twin_states import TwinFacts

CHECK_ARRIVED = "Check in iManage whether it arrived before you try again."
NOT_FOR_YOU = "Details are shown to people who can use this iManage server."
PRACTICE_NOTE = "Transferred with Practice iManage, which is for training only."
TRIED_AGAIN = "Counterpart will try again automatically."

STATES: dict[str, str] = {
    "waiting": "Waiting",
    "running": "Running",
    "sending": "Saving to iManage",
    "resolving": "Checking in iManage",
    "needs_sign_in": "Waiting for your sign-in",
    "needs_decision": "Needs your decision",
    "done": "Done",
    "failed": "Failed",
    "stopped": "Stopped",
}
TWINS: dict[str, str] = {
    "same": "Same",
    "changed_here": "Changed here",
    "newer": "Newer in iManage",
    "both": "Changed on both sides",
    "lost": "Lost",
    "no_access": "No access",
    "not_checked": "Not checked",
}
_ONE: dict[str, dict[str, str]] = {
    "get": {
        "added": "{name} arrived from {label}.",
        "new_version": "{name} arrived from {label} as a new version.",
        "in_history": "{name} arrived from {label} as an older version. It was not made current.",
        "here_already": "{name} is already here, so nothing was added.",
        "different": "{name} from {label} did not match its listed details, so it was not kept.",
        "failed": "We could not get {name} from {label}.",
        "cancelled": "The transfer of {name} from {label} was cancelled.",
        "stopped": "The transfer of {name} from {label} was stopped.",
        "moving": "{name} is on its way from {label}.",
        "waiting": "{name} is waiting to transfer from {label}.",
        "sign_in": "{name} is waiting for a sign-in to {label}.",
    },
    "save": {
        "saved": "{name} was saved to {label}.",
        "replaced": "{name} replaced {version} in {label}.",
        "there_already": "{name} is already in {label}, so nothing was saved.",
        "different": "The copy of {name} stored in {label} differs from the one sent.",
        "unsure": "We do not know whether {name} was saved to {label}.",
        "failed": "We could not save {name} to {label}.",
        "left": "{name} was skipped: nothing more was sent to {label}.",
        "cancelled": "The transfer of {name} to {label} was cancelled.",
        "stopped": "The transfer of {name} to {label} was stopped.",
        "decision": "{name} is waiting for a decision.",
        "moving": "{name} is on its way to {label}.",
        "waiting": "{name} is waiting to be saved to {label}.",
        "sign_in": "{name} is waiting for a sign-in to {label}.",
    },
}
_ALL: dict[str, str] = {
    "added": "All {count} documents arrived from {label}.",
    "in_history": "All {count} documents arrived from {label} as older versions. None was made current.",
    "here_already": "All {count} documents are already here, so nothing was added.",
    "saved": "All {count} documents were saved to {label}.",
    "replaced": "All {count} documents replaced the latest versions in {label}.",
    "there_already": "All {count} documents are already in {label}, so nothing was saved.",
}
_COUNTED: dict[str, str] = {
    "added": "arrived",
    "in_history": "added to the history",
    "here_already": "already here",
    "saved": "saved",
    "replaced": "replaced the latest version",
    "there_already": "already in iManage",
    "different": "different from expected",
    "unsure": "unknown",
    "failed": "failed",
    "left": "skipped",
    "cancelled": "cancelled",
    "stopped": "stopped",
    "decision": "waiting for a decision",
    "sign_in": "waiting for a sign-in",
    "moving": "in progress",
    "waiting": "waiting",
}
_LABELS: dict[str, str] = {
    "here_already": "Already here",
    "there_already": "Already in iManage",
    "replaced": "Replaced",
    "unsure": "Unknown",
    "left": "Skipped",
    "cancelled": "Cancelled",
}

UNDONE: dict[str, str] = {
    "removed": "Moved to the bin when the transfer was undone.",
    "taken_back": "Taken back when the transfer was undone. It stays in the history, held for members.",
    "edited": "Kept when the transfer was undone: a newer version had been added.",
    "shown": "Kept when the transfer was undone: it had been released to guests, or a guest had read it.",
    "saved": "Kept when the transfer was undone: it had been saved to iManage or linked there.",
    "gone": "Removed before the transfer was undone.",
}
"""What the undo of a transfer did with a document."""


def label_of(state: str, outcome: str) -> str:
    """A document of a transfer, in up to three words."""
    return _LABELS.get(outcome, STATES[state])


def summary(kind: str, label: str, counts: Mapping[Outcome, int], name: str, replaced: str = "") -> str:
    """The transfer in a sentence: one document by its `name`, several counted by outcome.

    `replaced` is the number of the version in iManage that one document replaced; may be empty.
    """
    total = sum(counts.values())
    if total == 1:
        (outcome,) = counts
        version = f"version {replaced}" if replaced else "the latest version"
        return _ONE[kind][outcome].format(name=name, label=label, version=version)
    by_value = {str(outcome): count for outcome, count in counts.items()}
    by_value["added"] = by_value.get("added", 0) + by_value.pop("new_version", 0)
    merged = {outcome: count for outcome in _COUNTED if (count := by_value.get(outcome))}
    if len(merged) == 1 and (only := next(iter(merged))) in _ALL:
        return _ALL[only].format(count=total, label=label)
    way = "from" if kind == "get" else "to"
    parts = ", ".join(f"{count} {_COUNTED[outcome]}" for outcome, count in merged.items())
    return f"{total} documents {way} {label}: {parts}."


def twin_sentence(facts: TwinFacts, label: str = "iManage") -> str:
    """The state in a sentence; `label` is the server's name for this person."""
    ours, theirs = f"version {facts.here} here", f"version {facts.latest}"
    match str(facts.state):
        case "same":
            return f"V{ours[1:]} is {theirs} in {label}, the latest version there."
        case "not_checked" if facts.access == "moved":
            return f"This document has not been checked since its link moved to {label}. Check for newer versions."
        case "not_checked":
            return f"V{ours[1:]} was {theirs} in {label} at the last check. Check for newer versions."
        case "newer" | "both" if facts.is_rewritten and facts.latest == facts.had:
            ours = "" if facts.held else f" V{ours[1:]} is not there."
            return f"V{theirs[1:]} was edited in {label} after it was here.{ours}"
        case "newer":
            known = f" (version {facts.latest_here} here)" if facts.latest_here else ""
            rest = f"is version {facts.held} there" if facts.held else "is not there"
            return f"{label} has {theirs}{known}. V{ours[1:]}, the current one, {rest}."
        case "changed_here":
            return f"V{ours[1:]} is not in {label}. The latest there is {theirs}."
        case "both":
            return f"V{ours[1:]} is not in {label}, which now has {theirs}."
        case "no_access":
            return f"The last person to check could not see this document in {label}."
        case "lost" if facts.access == "lost":
            return f"This document was not found in {label} at the last check."
        case _:
            return f"Version {facts.held} is no longer in {label}. The latest there is {theirs}."
