"""Transfers run by real worker processes: until the end, and with what calls to iManage."""

from __future__ import annotations

from collections.abc import Callable

from models import utcnow
from services.core.unit_of_work import session
from services.transfers.states import LIVE, ItemState
from simulator import Fault
from tests.faults.scene import MOST_REQUESTS, Scene
from tests.support.worker_processes import Workers, until


def begun(scene: Scene, slow: Callable[[Scene], Fault]) -> None:
    """The transfer is recorded, a worker has claimed it, and iManage is slow with its first document."""
    fault = slow(scene)
    scene.begin()
    session().rollback()  # The engine creates its tables at first start, and waits for open transactions.
    until(lambda: scene.practice.faults.times_applied(fault), "the first document")


def carried_on(scene: Scene, workers: Workers, seconds: float = 60.0) -> None:
    """Let the running workers finish, skipping waits; then check both sides."""
    asked = len(scene.practice.requests)

    def all_done() -> bool:
        for row in scene.rows():
            assert row.state in LIVE | {ItemState.DONE}, (row.state, row.error_sentence)
            if row.wait_until is not None and row.wait_until > utcnow():
                scene.skip_wait(row.id)
        return set(scene.states()) == {ItemState.DONE}

    until(all_done, "the end", seconds)
    assert all(worker.process.poll() is None for worker in workers.workers), workers.workers[-1].said()
    asked = len(scene.practice.requests) - asked
    assert asked <= MOST_REQUESTS * scene.count, f"asked {asked} times"
    scene.settled()
    scene.words_are_plain()
    scene.sides_agree()
    posts = [call for call in scene.practice.requests if call.method == "POST" and call.bytes_in > 10_000]
    assert len(posts) == (0 if scene.is_get else sum(row.sends for row in scene.rows()))
