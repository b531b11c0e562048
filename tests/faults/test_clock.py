"""The clock is changed during a transfer (32): forward or back, by an hour or a day, with a lost response as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from config import Settings
from imanage import oauth
from models import base
from services.core.unit_of_work import session
from services.core.wall_clock import Clock
from services.execution import maintenance, outcome, queue
from services.operations import worker_heartbeats
from services.transfers.states import ItemState
from tests.faults.matrix import cells
from tests.faults.meanwhile import dawdling
from tests.faults.real_workers import begun, carried_on
from tests.faults.scenario import Cell
from tests.faults.scene import Scene
from tests.faults.test_network import STORED_LATE, until_stored
from tests.support.worker_processes import Worker, running_workers, until

JUMPS = {
    "clock-forward-hour": timedelta(hours=1),
    "clock-forward-day": timedelta(days=1),
    "clock-back-hour": -timedelta(hours=1),
    "clock-back-day": -timedelta(days=1),
}


class Setting:
    """The system clock, for everything that records a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        setting = self
        self.ahead = timedelta(0)

        class Moved(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime.now(tz) + setting.ahead

        monkeypatch.setattr(base, "datetime", Moved)
        monkeypatch.setattr(oauth, "datetime", Moved)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Isolated state of the clock watch, not shared with other tests."""
    clock = Clock()
    clock.was_set_back()
    for user in (outcome, maintenance):
        monkeypatch.setattr(user, "clock", clock)
    return Setting(monkeypatch)


@pytest.mark.parametrize(
    "cell", [each for each in cells("clock") if each.scenario.name in JUMPS], ids=lambda cell: cell.id
)
def test_clock_is_set(cell: Cell, scene: Scene, machine: Setting) -> None:
    """The item waits neither too long nor not at all, and is not sent twice."""
    scene.prepare()
    if scene.is_get:
        scene.dial("cut", fraction=0.5, how="reset", times=1)
    else:
        scene.dial("slow", seconds=STORED_LATE, times=1)  # its response is lost, and it is stored later
    scene.begin()
    first = scene.carry_once()[0]
    assert first.state == (ItemState.WAITING if scene.is_get else ItemState.RESOLVING)
    machine.ahead = JUMPS[cell.scenario.name]
    maintenance.adjust_to_clock()
    session().rollback()
    due = {each.id for each in queue.due(500)}
    assert scene.items[0] in due, "it waits for the clock to come round again"
    again = scene.carry(scene.items[0])
    if not scene.is_get:
        assert again.sends == 1, "sent again, though no time has passed"
        assert again.state in {ItemState.RESOLVING, ItemState.DONE}
        scene.nobody_is_hurried(first.id)
        until_stored(scene)
    scene.words_are_plain()
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    machine.ahead = timedelta(0)  # the clock is corrected: the sweep goes by file age
    scene.sides_agree()
    scene.asked_politely()


DAY = 24 * 3600
REAL = {"clock-forward-real": DAY, "clock-back-real": -DAY}


@pytest.mark.parametrize(
    "cell", [each for each in cells("clock") if each.scenario.name in REAL], ids=lambda cell: cell.id
)
def test_clock_of_a_real_worker(cell: Cell, scene: Scene, settings: Settings) -> None:
    """The clock differs between two workers: both continue, and neither considers the other dead."""
    scene.prepare()
    file = scene.folder_here / "time"
    file.write_text("0")
    with running_workers(settings, scene.proxy.port, scene.folder_here) as pool:
        if scene.cell.is_many:
            pool.start()
        other = pool.start(through=("tests.support.shifted_clock", str(file)))
        begun(scene, dawdling)
        file.write_text(str(REAL[cell.scenario.name]))
        until(lambda: goes_wrong(other), "a heartbeat by the other clock", 10)
        carried_on(scene, pool)
        assert not any("taken_over" in worker.said() for worker in pool.workers)


def goes_wrong(worker: Worker) -> bool:
    session().rollback()
    heartbeats = [
        at for name, at in worker_heartbeats.last_seen().items() if f"-{worker.process.pid}-" in name
    ]
    return any(abs(datetime.now(UTC) - at) > timedelta(hours=12) for at in heartbeats)
