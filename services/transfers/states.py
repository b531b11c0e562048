"""The one table of a transfer item's states. Nothing else changes a state; docs/transfers.md draws it from here."""

from __future__ import annotations

from models import LIVE, ItemState, TransferItem, utcnow

__all__ = [
    "FINISHED",
    "LIVE",
    "TRANSITIONS",
    "InvalidTransitionError",
    "ItemState",
    "diagram",
    "move",
    "require",
]

_S = ItemState
TRANSITIONS: dict[ItemState, frozenset[ItemState]] = {
    _S.WAITING: frozenset({_S.RUNNING, _S.SENDING, _S.RESOLVING, _S.NEEDS_SIGN_IN, _S.FAILED, _S.STOPPED}),
    _S.RUNNING: frozenset(
        {_S.WAITING, _S.SENDING, _S.NEEDS_SIGN_IN, _S.NEEDS_DECISION, _S.DONE, _S.FAILED, _S.STOPPED}
    ),
    _S.SENDING: frozenset(
        {_S.WAITING, _S.RESOLVING, _S.NEEDS_SIGN_IN, _S.NEEDS_DECISION, _S.DONE, _S.FAILED, _S.STOPPED}
    ),
    _S.RESOLVING: frozenset({_S.WAITING, _S.NEEDS_SIGN_IN, _S.NEEDS_DECISION, _S.DONE, _S.FAILED}),
    _S.NEEDS_SIGN_IN: frozenset({_S.WAITING, _S.STOPPED}),
    _S.NEEDS_DECISION: frozenset({_S.WAITING, _S.DONE, _S.STOPPED}),
    _S.DONE: frozenset(),
    _S.FAILED: frozenset(),
    _S.STOPPED: frozenset(),
}
FINISHED = frozenset(state for state, after in TRANSITIONS.items() if not after)

UNCERTAIN_FOR_GOOD = "transfer.uncertain_for_good"
"""The error code of a send that broke off for a reason that would break the next one, too."""


class InvalidTransitionError(Exception):
    """A transition that the table does not allow: the row has changed meanwhile, or the code is wrong."""


def move(item: TransferItem, state: ItemState) -> None:
    """Change the state, in the open unit of work. The same state is allowed."""
    if state == item.state:
        return
    require(item.state, state)
    item.state = state
    item.state_at = utcnow()


def require(before: ItemState, *states: ItemState) -> None:
    """Raise InvalidTransitionError unless these states may follow each other. The same state is allowed."""
    for state in states:
        if state != before and state not in TRANSITIONS[before]:
            raise InvalidTransitionError(f"{before} does not become {state}.")
        before = state


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {ItemState.WAITING}"]
    for state, after in TRANSITIONS.items():
        lines += [f"    {state} --> {target}" for target in sorted(after)]
        lines += [f"    {state} --> [*]"] if not after else []
    return "\n".join(lines)
