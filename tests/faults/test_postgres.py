"""PostgreSQL's faults (48): restart, crash and failover during a transfer, and aborted transactions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import Settings
from models import db
from services.execution import steps
from services.execution.item_run import Claim
from services.transfers.states import LIVE, ItemState
from tests.faults.matrix import cells
from tests.faults.meanwhile import dawdling, watched
from tests.faults.real_workers import begun, carried_on
from tests.faults.scenario import Cell
from tests.faults.scene import JARGON, Scene
from tests.support.postgres import restart, standby
from tests.support.worker_processes import Workers, running_workers, until

WAITING_FOR_A_LOCK = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def of(*names: str) -> list[Cell]:
    return [each for each in cells("postgres") if each.scenario.name in names]


def close_connections() -> None:
    """Close this test's connections before the server stops."""
    db.session.remove()
    db.engine.dispose()


def carried_despite(scene: Scene, change: Callable[[], object]) -> None:
    """A run that could not record its end is found by the reconciler, which makes it wait."""
    first = scene.items[0]
    try:
        watched(scene, change)
    except DBAPIError:
        db.session.remove()
        steps.retry_or_fail([Claim(first, scene.row(first).fencing_token)])
    row = scene.row(first)
    assert row.state in LIVE | {ItemState.DONE}, row.error_sentence
    assert not JARGON.search(f"{row.error_sentence} {row.next_step}")
    scene.nobody_is_hurried(first)


def finished(scene: Scene) -> None:
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize("cell", of("restarted"), ids=lambda cell: cell.id)
def test_restarted(cell: Cell, scene: Scene, settings: Settings) -> None:
    """A clean restart during the transfer: all connections are lost."""
    scene.prepare()
    scene.begin()
    carried_despite(scene, lambda: restart(settings.database_url, "fast"))
    finished(scene)


@pytest.mark.parametrize("cell", of("deadlock"), ids=lambda cell: cell.id)
def test_deadlock(cell: Cell, scene: Scene) -> None:
    """A deadlock with another program: PostgreSQL aborts our transaction."""
    scene.prepare()
    scene.begin()

    def cross() -> None:
        with db.engine.connect() as other, db.engine.connect() as looking:
            other.execute(text("SET LOCAL deadlock_timeout = '1min'"))  # so that ours is aborted
            other.execute(text("SELECT 1 FROM server WHERE id = :id FOR UPDATE"), {"id": scene.server_id})
            until(lambda: looking.scalar(WAITING_FOR_A_LOCK), "our transaction at the server's row", 10)
            other.execute(
                text("SELECT 1 FROM transfer_item WHERE id = :id FOR UPDATE"), {"id": scene.items[0]}
            )
            other.rollback()

    before = deadlocks()
    carried_despite(scene, cross)
    until(lambda: deadlocks() > before, "PostgreSQL's own count of deadlocks", 5)
    finished(scene)


def deadlocks() -> int:
    with db.engine.connect() as connection:
        counted = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return connection.scalar(counted) or 0


@pytest.fixture
def strictly_isolated() -> Iterator[None]:
    """A serialization failure under repeatable read."""
    isolate("SET default_transaction_isolation = 'repeatable read'")
    yield
    isolate("RESET default_transaction_isolation")


def isolate(how: str) -> None:
    db.session.remove()
    with db.engine.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} {how}"))
    db.engine.dispose()


@pytest.mark.parametrize("cell", of("serialization"), ids=lambda cell: cell.id)
def test_serialization(cell: Cell, scene: Scene, strictly_isolated: None) -> None:
    """Another program changes the item's row before ours."""
    scene.prepare()
    scene.begin()

    def change() -> None:
        with db.engine.connect() as other, db.engine.connect() as looking:
            other.execute(
                text("UPDATE transfer_item SET progress_at = now() WHERE id = :id"), {"id": scene.items[0]}
            )
            until(lambda: looking.scalar(WAITING_FOR_A_LOCK), "our transaction at the item's row", 10)
            other.commit()

    carried_despite(scene, change)
    first = scene.rows()[0]
    if scene.is_get:
        assert first.error_code == "transfer.database", "nothing was broken off"
    else:
        asked = [f"{call.method} {call.path}" for call in scene.calls[first.id]]
        sent = next(n for n, call in enumerate(asked) if re.search(r"^POST .*/(documents|versions)$", call))
        looked = r"^GET .*/(children|documents|versions)$"
        assert any(re.search(looked, call) for call in asked[sent:]), "nothing was broken off"
    finished(scene)


@pytest.fixture
def workers(settings: Settings, scene: Scene, tmp_path: Path) -> Iterator[Workers]:
    with running_workers(settings, scene.proxy.port, tmp_path, keeps_database=False) as pool:
        yield pool


@pytest.mark.parametrize("cell", of("crashed"), ids=lambda cell: cell.id)
def test_crashed(cell: Cell, scene: Scene, settings: Settings, workers: Workers) -> None:
    """PostgreSQL crashes and recovers under a real worker, which resumes by itself."""
    scene.prepare()
    workers.start()
    begun(scene, dawdling)
    close_connections()
    restart(settings.database_url, "immediate")
    carried_on(scene, workers)


@pytest.mark.parametrize("cell", of("failover"), ids=lambda cell: cell.id)
def test_failover(cell: Cell, scene: Scene, settings: Settings, workers: Workers) -> None:
    """The server is lost under a real worker, and a synchronous standby is promoted at its address."""
    scene.prepare()
    workers.start()
    with standby(settings.database_url) as second:
        begun(scene, dawdling)
        close_connections()
        second.take_over()
        try:
            carried_on(scene, workers)
        finally:
            workers.end()
            close_connections()
