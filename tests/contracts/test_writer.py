"""The writer process of a worker on SQLite: each ends when the other does, and nothing is lost."""

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
from tests.support.worker_processes import Worker, Workers, until

MANY = 12


def writer_of(worker: Worker) -> int:
    (child,) = children_of(worker.process.pid)
    return child


def begin_saves(desk: Desk) -> dict[uuid.UUID, str]:
    """Item ids, each with the SHA-256 of its content."""
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


def start_slow_saves(desk: Desk, workers: Workers, begun: int) -> tuple[dict[uuid.UUID, str], Worker]:
    """A worker saves `MANY` documents slowly and has begun `begun` of them."""
    items = begin_saves(desk)
    desk.practice.faults.add(Fault("slow", method="POST", path="/documents$", seconds=0.4, times=None))
    worker = workers.start()
    until(lambda: states(items).count("waiting") <= MANY - begun, "the first saves")
    return items, worker


def assert_all_saved_once(desk: Desk, items: dict[uuid.UUID, str]) -> None:
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


def test_it_is_not_nice_and_ignores_the_signals_that_stop_the_worker(desk: Desk, workers: Workers) -> None:
    worker = workers.start()
    writer = writer_of(worker)
    assert os.getpriority(os.PRIO_PROCESS, writer) == 0
    assert os.getsid(writer) == writer
    os.kill(writer, signal.SIGINT)
    os.kill(writer, signal.SIGTERM)
    worker.stop()
    until(lambda: not is_alive(writer), "the writer's end")


def test_it_ends_with_a_worker_that_is_killed(desk: Desk, workers: Workers) -> None:
    worker = workers.start()
    writer = writer_of(worker)
    worker.kill()
    until(lambda: not is_alive(writer), "the writer's end")


@pytest.mark.parametrize("begun", [1, 5])
def test_a_worker_that_loses_it_exits_and_the_next_resumes(desk: Desk, workers: Workers, begun: int) -> None:
    items, worker = start_slow_saves(desk, workers, begun)
    os.kill(writer_of(worker), signal.SIGKILL)
    assert worker.process.wait(20) == 1
    assert "worker.writer_lost" in worker.said()
    workers.start(fast_takeover=True)
    assert_all_saved_once(desk, items)


def test_a_worker_killed_during_a_write_leaves_no_lock(desk: Desk, workers: Workers) -> None:
    """A commit then happens whole or not at all, and does not block the next worker."""
    items, worker = start_slow_saves(desk, workers, 1)
    writer = writer_of(worker)
    os.kill(writer, signal.SIGSTOP)
    worker.kill()
    os.kill(writer, signal.SIGCONT)
    until(lambda: not is_alive(writer), "the writer's end")
    workers.start(fast_takeover=True)
    assert_all_saved_once(desk, items)
