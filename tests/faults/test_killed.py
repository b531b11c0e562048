"""Processes killed at each named point (27), out of memory (34) or file descriptors (35): the next process resumes."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from copying import copy as copying_copy
from copying.imanage_endpoint import ImanageDestination
from imanage import client as imanage_client
from imanage.uploads import Multipart
from services.core import audit
from services.core.unit_of_work import unit_of_work
from services.execution import queue, steps
from services.execution import save as execution_save
from services.transfers.states import LIVE, ItemState
from storage.incoming import Partial
from tests.faults.children import after, before, carried_by_a_child, die, was_killed
from tests.faults.matrix import cells
from tests.faults.scenario import Cell
from tests.faults.scene import Scene

Prepare = Callable[[], None]


def sent_but_for_the_end() -> None:
    """All blocks of the upload are sent, but not its closing boundary."""
    usual = Multipart.__iter__

    def blocks(self: Multipart) -> object:
        found = list(usual(self))
        yield from found[:-1]
        die()

    Multipart.__iter__ = blocks


def sent_and_not_answered() -> None:
    """The upload is complete, and its response has not been read."""
    usual = ImanageDestination.send

    def send(self: ImanageDestination, *arguments: object, **named: object) -> object:
        before(imanage_client, "read_json")()
        return usual(self, *arguments, **named)

    ImanageDestination.send = send


def claimed_and_not_committed() -> None:
    """The claim's rows are changed, and its transaction is never committed."""

    @contextmanager
    def dying(**options: bool) -> Iterator[Session]:
        with unit_of_work(**options) as writing:
            yield writing
            die()

    queue.unit_of_work = dying


KILLS: dict[str, Prepare] = {
    "claim-before": before(queue, "claim"),
    "claim-within": claimed_and_not_committed,
    "claim-after": before(steps, "_do"),
    "download-before": before(copying_copy, "_pour"),
    "download-during": after(Partial, "write"),
    "download-after": before(copying_copy, "_require_whole"),
    "fsync-before": before(os, "fsync"),
    "fsync-after": after(os, "fsync"),
    "rename-before": before(os, "link"),
    "rename-after": after(os, "link"),
    "spool-before": before(Partial, "discard"),
    "spool-after": after(Partial, "discard"),
    "audit-before": before(audit, "record_all"),
    "audit-after": after(audit, "record_all"),
    "intent-before": before(execution_save, "announce"),
    "intent-after": after(execution_save, "announce"),
    "post-before": before(copying_copy, "send"),
    "post-during": sent_but_for_the_end,
    "post-after": sent_and_not_answered,
    "response-before": before(execution_save, "read_back"),
    "response-after": after(execution_save, "read_back"),
}


ENDS = {"get": after(steps.STEPS, "fetch"), "save": after(execution_save, "finish")}


def no_more_files() -> None:
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, used + 2))


def out_of_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + (64 << 10)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 27], ids=lambda c: c.id
)
def test_killed(cell: Cell, scene: Scene) -> None:
    """The next process resumes from the row: nothing lost, nothing duplicated, nothing sent twice without a read."""
    scene.prepare()
    scene.begin()
    _, _, point = cell.scenario.name.partition("-")
    prepare = KILLS[point] if point in KILLS else ENDS["get" if scene.is_get else "save"]
    seen = len(scene.practice.requests)
    status = carried_by_a_child(scene, prepare)
    assert was_killed(status), f"the point was not reached: {status}"
    scene.settled()
    scene.calls[scene.items[0]] += scene.practice.requests[seen:]
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault in (34, 35)], ids=lambda c: c.id
)
def test_starved(cell: Cell, scene: Scene) -> None:
    """However the process fails, one with enough resources completes its work."""
    scene.prepare()
    scene.begin()
    seen = len(scene.practice.requests)
    carried_by_a_child(scene, no_more_files if cell.scenario.fault == 35 else out_of_memory)
    scene.settled()
    scene.calls[scene.items[0]] += scene.practice.requests[seen:]
    assert scene.states()[0] in LIVE | {ItemState.DONE}
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.sides_agree()
    scene.asked_politely()
