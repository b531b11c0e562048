"""The one table of a transfer item's states. Nothing else changes a state; docs/transfers.md draws it from here."""

from __future__ import annotations

from models import TransferItem, utcnow

WAITING = "waiting"
RUNNING = "running"
SENDING = "sending"
LOOKING_UP = "looking_up"
NEEDS_SIGN_IN = "needs_sign_in"
ASKS = "asks"
DONE = "done"
FAILED = "failed"
STOPPED = "stopped"

TRANSITIONS: dict[str, frozenset[str]] = {
    WAITING: frozenset({RUNNING, SENDING, LOOKING_UP, NEEDS_SIGN_IN, FAILED, STOPPED}),
    RUNNING: frozenset({WAITING, SENDING, NEEDS_SIGN_IN, ASKS, DONE, FAILED, STOPPED}),
    SENDING: frozenset({WAITING, LOOKING_UP, NEEDS_SIGN_IN, ASKS, DONE, FAILED, STOPPED}),
    LOOKING_UP: frozenset({WAITING, NEEDS_SIGN_IN, ASKS, DONE, FAILED}),
    NEEDS_SIGN_IN: frozenset({WAITING, STOPPED}),
    ASKS: frozenset({WAITING, DONE, STOPPED}),
    DONE: frozenset(),
    FAILED: frozenset(),
    STOPPED: frozenset(),
}
FINISHED = frozenset(state for state, after in TRANSITIONS.items() if not after)
LIVE = frozenset({WAITING, RUNNING, SENDING, LOOKING_UP})
"""What a worker has to carry on with; the others wait for a person or are over."""

UNCERTAIN_FOR_GOOD = "transfer.uncertain_for_good"
"""The error code of a send that broke off for a reason that sending again would only meet again."""

LABELS: dict[str, str] = {
    WAITING: "Waiting",
    RUNNING: "Running",
    SENDING: "Saving to iManage",
    LOOKING_UP: "Checking what arrived",
    NEEDS_SIGN_IN: "Waiting for your sign-in",
    ASKS: "Needs your decision",
    DONE: "Done",
    FAILED: "Failed",
    STOPPED: "Stopped",
}


class WrongTransition(Exception):
    """A step tried what the table does not have: the row has moved on, or the code is wrong."""


def move(item: TransferItem, state: str) -> None:
    """Change the state, in the open unit. Staying is allowed."""
    if state == item.state:
        return
    require(item.state, state)
    item.state = state
    item.state_at = utcnow()


def require(before: str, *states: str) -> None:
    """That a state may become the next, and that one the next again. Staying is allowed."""
    for state in states:
        if state != before and state not in TRANSITIONS[before]:
            raise WrongTransition(f"{before} does not become {state}.")
        before = state


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {WAITING}"]
    for state, after in TRANSITIONS.items():
        lines += [f"    {state} --> {target}" for target in sorted(after)]
        lines += [f"    {state} --> [*]"] if not after else []
    return "\n".join(lines)
