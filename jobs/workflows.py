"""One durable workflow: carry a load, which is some items of one server, side by side to their ends.

The rows are the truth. The engine only remembers that the load has to be carried, so that a killed job goes on; it
keeps no steps of its own: whoever goes on reads from the rows what is left of the load, and at which step that is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from dbos import DBOS, SetWorkflowID

from jobs.engine import CARRY
from jobs.hand import hand
from jobs.places import Caller, places
from services.execution import queue, steps
from services.execution.item_run import ItemRun, Task
from services.execution.queue import NO_SERVER, Due

Scope = Callable[[], AbstractContextManager[object]]

MOST_THREADS = 512
_scope: Scope | None = None
_carried: set[str] = set()
_taken: dict[str, Sequence[Due]] = {}
_threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="item")


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
    return frozenset(_carried | _taken.keys())


def start(batch_id: uuid.UUID, items: Sequence[Due]) -> None:
    """Carry a load that has just been taken. Where the engine cannot, the load is lost, and found so by a look."""
    for item in items:
        hand.take(item.lane, item.member, item.at_once)
    _taken[str(batch_id)] = items
    try:
        with SetWorkflowID(str(batch_id)):
            DBOS.start_workflow(carry, str(batch_id))
    except BaseException:
        _lay_down(str(batch_id))
        raise


@DBOS.workflow(name=CARRY)
def carry(batch_id: str) -> None:
    """Each item from the step at which it stands to its end, or to where it has to wait."""
    _carried.add(batch_id)
    try:
        with _in_scope():
            taken = steps.claim_batch(uuid.UUID(batch_id), _Slots())
        for running, _step in taken:
            hand.take(_lane(running), running.task.member_id, running.task.at_once or 1)
        _lay_down(batch_id)
        jobs = [_threads.submit(_carry_one, running, step) for running, step in taken]
        errors = [error for job in jobs if (error := job.exception()) is not None]
        if errors:
            raise errors[0]
        if not all(running.is_over for running, _step in taken):
            with _in_scope():
                queue.let_go([uuid.UUID(batch_id)])
    finally:
        _lay_down(batch_id)
        _carried.discard(batch_id)


def _carry_one(running: ItemRun, step: str) -> None:
    task, lane = running.task, _lane(running)
    try:
        with _in_scope():
            steps.carry_out(running, step)
    finally:
        hand.give_back(lane, task.member_id)


class _Slots:
    def slot(self, task: Task) -> AbstractContextManager[None]:
        return places.held(_caller(task, ""))

    def announcement(self, task: Task) -> AbstractContextManager[None]:
        return places.held(_caller(task, "next "))


def _caller(task: Task, prefix: str) -> Caller:
    lane = prefix + str(task.server_id or NO_SERVER)
    return Caller(lane, task.at_once or 1, task.member_id, task.position)


def _lane(running: ItemRun) -> str:
    return str(running.task.server_id or NO_SERVER)


def _lay_down(batch_id: str) -> None:
    """What was taken to hand with the load is counted item by item from here on."""
    for item in _taken.pop(batch_id, ()):
        hand.give_back(item.lane, item.member)
