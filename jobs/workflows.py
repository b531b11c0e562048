"""One durable workflow: carry one transfer item from its first step to its last.

The rows are the truth. The engine only remembers which steps are behind us, so that a killed job goes on and is
not begun again; every step looks at its row first and is safe to be called twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from dbos import DBOS

from jobs.engine import CARRY
from services import transfer_work

Scope = Callable[[], AbstractContextManager[object]]
MOST_STEPS = 12

_scope: Scope | None = None
_carried: set[str] = set()


def bind(scope: Scope) -> None:
    """Give the workflows what they run in: an application context, made by the composition root."""
    global _scope
    _scope = scope


def _in_scope() -> AbstractContextManager[object]:
    if _scope is None:
        raise RuntimeError("jobs.workflows.bind() was not called.")
    return _scope()


def carried() -> frozenset[str]:
    """The ids of the workflows that threads of this process are running."""
    return frozenset(_carried)


@DBOS.workflow(name=CARRY)
def carry(item_id: str) -> None:
    """From the step at which the item stands to its end, or to where it has to wait."""
    workflow = DBOS.workflow_id or item_id
    _carried.add(workflow)
    try:
        _carry(uuid.UUID(item_id))
    finally:
        _carried.discard(workflow)


def _carry(item: uuid.UUID) -> None:
    # Outside of any step on purpose: whoever runs this, first or after a crash, takes the item over from others.
    with _in_scope():
        fence = transfer_work.claim(item)

    def advance(step: str) -> str:
        with _in_scope():
            return transfer_work.advance(item, step, fence)

    step = transfer_work.BEGIN
    for _ in range(MOST_STEPS):
        step = DBOS.run_step({"name": step}, advance, step)
        if step == transfer_work.END:
            break
