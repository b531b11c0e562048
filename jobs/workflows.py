"""One durable workflow: carry one transfer item from its first step to its last.

The rows are the truth. The engine only remembers that the item has to be carried, so that a killed job goes on; it
keeps no steps of its own: whoever goes on reads from the row at which step that is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from dbos import DBOS

from jobs.engine import CARRY
from jobs.places import places
from services import transfer_turns, transfer_work

Scope = Callable[[], AbstractContextManager[object]]

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
        item = uuid.UUID(item_id)
        with _in_scope():
            place = transfer_turns.place_of(item)
        with places.held(place.lane, place.at_once), _in_scope():
            transfer_work.carry(item)
    finally:
        _carried.discard(workflow)
