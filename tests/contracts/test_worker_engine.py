"""The reconciler against the real job engine: whatever became of a load, its items are carried on."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from dbos import DBOS
from flask import Flask

from config import Settings
from jobs import engine, workflows
from jobs.reconciler import LIVE, Reconciler, forget_finished
from models import TransferItem
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue, steps
from services.operations import worker_heartbeats
from services.transfers import requests
from simulator import Fault
from tests.support.transfers import Desk, carry, get, items_of, skip_wait, versions
from tests.support.worker_processes import until

ME, OTHER = "this-process", "another-process"
VERSION = engine.APPLICATION_VERSION


@dataclass
class Engine:
    """The engine in this process, on tables of its own, and what other processes may have left in them."""

    reconciler: Reconciler
    tables: Path

    def leave(self, item_id: uuid.UUID, **columns: str) -> uuid.UUID:
        """A load of this one item as somebody else left it; no worker of this release takes it from the queue."""
        batch_id = self.take(item_id)
        DBOS.enqueue_workflow_with_options(
            {
                "queue_name": engine.QUEUE,
                "workflow_name": engine.CARRY,
                "workflow_id": str(batch_id),
                "app_version": "0",
            },
            str(batch_id),
        )
        self.rewrite(batch_id, **columns)
        return batch_id

    def take(self, item_id: uuid.UUID) -> uuid.UUID:
        batch_id = uuid.uuid4()
        with unit_of_work():
            assert queue.form(batch_id, [item_id]) == 1
        return batch_id

    def look(self) -> int:
        """What a worker does every second and every tenth of one; says how many loads it began to carry."""
        self.reconciler.let_go_of_lost()
        return self.reconciler.take_due()

    def rewrite(self, batch_id: uuid.UUID, **columns: str) -> None:
        if columns:
            named = ", ".join(f"{name} = ?" for name in columns)
            with sqlite3.connect(self.tables, timeout=30) as connection:
                connection.execute(
                    f"UPDATE workflow_status SET {named} WHERE workflow_uuid = ?",
                    (*columns.values(), str(batch_id)),
                )
            connection.close()


@pytest.fixture(scope="module")
def tables(app: Flask, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("engine")
    workflows.bind(app.app_context)
    engine.launch(replace(settings, data_dir=folder, database_url="sqlite://"), ME)
    try:
        yield folder / "jobs.sqlite"
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=5)


@pytest.fixture
def launched(tables: Path, desk: Desk) -> Engine:
    worker_heartbeats.record(ME)
    return Engine(Reconciler(ME), tables)


@pytest.fixture
def item_id(desk: Desk) -> uuid.UUID:
    document = desk.practice.world.named("SPA – Project Heron")
    command = requests.GetCommand(
        uuid.uuid4(), desk.matter_id, desk.server.id, requests.sources_of([document.id()])
    )
    (item,) = items_of(requests.start_get(desk.actor, command))
    return item.id


def row(item_id: uuid.UUID) -> TransferItem:
    session().rollback()
    return session().get_one(TransferItem, item_id)


def load_of(item_id: uuid.UUID) -> uuid.UUID:
    batch_id = row(item_id).batch_id
    assert batch_id is not None
    return batch_id


def status_of(batch_id: uuid.UUID) -> str | None:
    found = DBOS.list_workflows(workflow_ids=[str(batch_id)])
    return found[0].status if found else None


def until_done(item_id: uuid.UUID) -> None:
    until(lambda: row(item_id).state == "done", "the item", 15)
    assert len(versions()) == 1


def test_an_item_that_nobody_carries_is_taken_once(launched: Engine, item_id: uuid.UUID) -> None:
    assert launched.look() == 1
    until_done(item_id)
    assert launched.look() == 0


def test_an_item_is_taken_by_one_worker(launched: Engine, item_id: uuid.UUID) -> None:
    launched.take(item_id)
    with unit_of_work():
        assert queue.form(uuid.uuid4(), [item_id]) == 0


def test_a_load_that_was_taken_and_never_started_is_noticed(launched: Engine, item_id: uuid.UUID) -> None:
    launched.take(item_id)
    assert launched.look() == 0, "its worker may be just about to start it"
    assert launched.look() == 1
    until_done(item_id)


def test_a_load_that_fell_over_rests_and_is_made_again(
    launched: Engine, item_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_which: object) -> None:
        raise OSError("The database cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(steps, "claim", fails)
        launched.look()
        batch_id = load_of(item_id)
        until(lambda: status_of(batch_id) == "ERROR", "the fall", 15)
    assert launched.look() == 0
    resting = row(item_id)
    assert (resting.batch_id, resting.attempt, resting.error_code) == (None, 1, "transfer.unexpected")
    assert resting.wait_until is not None
    assert launched.look() == 0, "it rests"
    skip_wait(item_id)
    assert launched.look() == 1
    until_done(item_id)


def test_an_item_whose_loads_always_fall_over_fails_in_the_end(launched: Engine, item_id: uuid.UUID) -> None:
    for _ in range(6):
        steps.fell_over(launched.take(item_id))
        skip_wait(item_id)
    failed = row(item_id)
    assert (failed.state, failed.error_code) == ("failed", "transfer.unexpected")
    assert failed.transfer.finished_at is not None
    assert launched.look() == 0


def test_what_waits_leaves_its_load(launched: Engine, item_id: uuid.UUID, desk: Desk) -> None:
    """Its time comes while others of the load may still be moving: whoever looks takes it then."""
    desk.practice.faults.add(Fault("cut", path="/download", fraction=0.5, times=1))
    launched.look()
    until(lambda: row(item_id).wait_until, "the wait", 15)
    until(lambda: row(item_id).batch_id is None, "the load's end", 15)
    skip_wait(item_id)
    assert launched.look() == 1
    until_done(item_id)


def test_the_work_of_a_worker_without_a_beat_is_taken_over(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=OTHER, application_version=VERSION)
    assert launched.look() == 0 and launched.look() == 0, "somebody seems to carry it"
    assert launched.reconciler.take_over() == 1
    until_done(item_id)


def test_what_is_left_of_a_load_is_carried_on_and_nothing_else(
    launched: Engine, desk: Desk, item_id: uuid.UUID
) -> None:
    """Of three documents one was done when their worker died."""
    named = [desk.practice.world.named(name).id() for name in ("Archive.tar", "Data room index")]
    items = [item_id, *(item.id for item in items_of(get(desk, *named)))]
    batch_id = launched.leave(items[0], status="PENDING", executor_id=OTHER, application_version=VERSION)
    with unit_of_work() as writing:
        for each in items:
            writing.get_one(TransferItem, each).batch_id = batch_id
    carry(items[0])
    asked = len(desk.practice.requests)
    assert launched.reconciler.take_over() == 1
    until(lambda: all(row(each).state == "done" for each in items), "the others", 15)
    assert len(versions()) == 3
    done = desk.practice.world.named("SPA – Project Heron").id()
    assert not any(done in call.path for call in desk.practice.requests[asked:])


def test_the_work_of_a_living_worker_is_left_alone(launched: Engine, item_id: uuid.UUID) -> None:
    batch_id = launched.leave(item_id, status="PENDING", executor_id=OTHER, application_version=VERSION)
    worker_heartbeats.record(OTHER)
    assert launched.reconciler.take_over() == 0
    assert status_of(batch_id) == "PENDING"
    worker_heartbeats.remove(OTHER)
    assert launched.reconciler.take_over() == 1, "it stopped in good order and left this behind"
    until_done(item_id)


def test_a_load_that_no_thread_of_its_own_worker_has_is_found(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=ME, application_version=VERSION)
    assert launched.reconciler.take_over() == 0, "it may be just about to begin"
    assert launched.reconciler.take_over() == 1
    until_done(item_id)


def test_a_load_queued_by_an_older_release_is_made_anew(launched: Engine, item_id: uuid.UUID) -> None:
    batch_id = launched.leave(item_id)
    launched.look()
    assert launched.look() == 1
    until_done(item_id)
    assert status_of(batch_id) == "CANCELLED"


def test_a_load_under_way_in_an_older_release_is_made_anew(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=OTHER)
    assert launched.reconciler.take_over() == 1
    launched.look()
    assert launched.look() == 1
    until_done(item_id)


@pytest.mark.parametrize("status", ["CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "SUCCESS"])
def test_a_load_that_ended_before_its_items_is_followed_by_another(
    launched: Engine, item_id: uuid.UUID, status: str
) -> None:
    launched.leave(item_id, status=status, application_version=VERSION)
    launched.look()
    assert launched.look() == 1
    until_done(item_id)


def test_the_engine_forgets_what_finished_long_ago(launched: Engine, item_id: uuid.UUID) -> None:
    launched.look()
    until_done(item_id)
    until(
        lambda: not DBOS.list_workflows(status=sorted(LIVE)),
        "the end of this load, and of those before it",
        15,
    )
    assert forget_finished() == 0
    finished = [uuid.UUID(status.workflow_id) for status in DBOS.list_workflows(status="SUCCESS")]
    assert finished
    for batch_id in finished:
        launched.rewrite(batch_id, completed_at="1000000000000")
    assert forget_finished() == len(finished)
    assert not DBOS.list_workflows(status="SUCCESS")
    with sqlite3.connect(launched.tables) as connection:
        for table in ("operation_outputs", "workflow_input", "workflow_output"):
            rows = connection.execute(
                f"SELECT count(*) FROM {table} WHERE workflow_uuid = ?", (str(finished[0]),)
            )
            assert rows.fetchone() == (0,)
    connection.close()
