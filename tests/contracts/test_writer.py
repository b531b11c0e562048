"""The process that writes for a worker on SQLite: it ends with its worker, and its worker with it. Nothing is lost."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterable

import pytest

from models import TransferItem
from services.core.unit_of_work import session
from simulator import Fault
from tests.support.processes import children_of, is_alive
from tests.support.transfers import Desk, drafts_id, items_of, links, save, sha256, skip_wait, stored
from tests.support.worker_processes import Crew, Worker, until

MANY = 12


def recorder_of(worker: Worker) -> int:
    (child,) = children_of(worker.process.pid)
    return child


def begin_saves(desk: Desk) -> dict[uuid.UUID, str]:
    """Items, each with the SHA-256 of what it saves."""
    found = {}
    for index in range(MANY):
        content = uuid.uuid4().bytes * 2000
        document_id = desk.add_document(f"Page {index}.docx", content)
        (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
        found[item.id] = sha256(content)
    return found


def rows(items: Iterable[uuid.UUID]) -> list[TransferItem]:
    session().rollback()
    return [session().get_one(TransferItem, item_id) for item_id in items]


def states(items: Iterable[uuid.UUID]) -> list[str]:
    return [row.state for row in rows(items)]


def under_way(desk: Desk, workers: Crew, begun: int) -> tuple[dict[uuid.UUID, str], Worker]:
    """A worker saves them, slowly, and has begun so many."""
    items = begin_saves(desk)
    desk.practice.faults.add(Fault("slow", method="POST", path="/documents$", seconds=0.4, times=None))
    worker = workers.start()
    until(lambda: states(items).count("waiting") <= MANY - begun, "the first saves")
    return items, worker


def all_arrived_once(desk: Desk, items: dict[uuid.UUID, str]) -> None:
    def done() -> bool:
        for row in rows(items):
            if row.wait_until is not None:
                skip_wait(row.id, sent_long_ago=True)
        return set(states(items)) == {"done"}

    desk.practice.faults.clear()
    until(done, "the end", 60)
    there = stored(desk, "Drafts")
    assert [there.count(content) for content in items.values()] == [1] * MANY
    assert len(links()) == MANY


def test_it_is_neither_nice_nor_stopped_with_the_worker(desk: Desk, workers: Crew) -> None:
    worker = workers.start()
    recorder = recorder_of(worker)
    assert os.getpriority(os.PRIO_PROCESS, recorder) == 0
    assert os.getsid(recorder) == recorder
    os.kill(recorder, signal.SIGINT)
    os.kill(recorder, signal.SIGTERM)
    worker.stop()
    until(lambda: not is_alive(recorder), "the recorder's end")


def test_it_ends_with_a_worker_that_is_killed(desk: Desk, workers: Crew) -> None:
    worker = workers.start()
    recorder = recorder_of(worker)
    worker.kill()
    until(lambda: not is_alive(recorder), "the recorder's end")


@pytest.mark.parametrize("begun", [1, 5])
def test_a_worker_that_loses_it_ends_and_the_next_goes_on(desk: Desk, workers: Crew, begun: int) -> None:
    items, worker = under_way(desk, workers, begun)
    os.kill(recorder_of(worker), signal.SIGKILL)
    assert worker.process.wait(20) == 1
    assert "worker.recorder_lost" in worker.said()
    workers.start(watchful=True)
    all_arrived_once(desk, items)


def test_a_worker_killed_while_it_writes_leaves_no_turn_taken(desk: Desk, workers: Crew) -> None:
    """What is being written then is on record whole or not at all, and the next worker need not wait for it."""
    items, worker = under_way(desk, workers, 1)
    recorder = recorder_of(worker)
    os.kill(recorder, signal.SIGSTOP)
    worker.kill()
    os.kill(recorder, signal.SIGCONT)
    until(lambda: not is_alive(recorder), "the recorder's end")
    workers.start(watchful=True)
    all_arrived_once(desk, items)
