"""The reconciler against the real job engine: whatever became of a workflow, its item is carried on."""

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
from jobs.reconciler import Reconciler, forget_finished
from models import TransferItem
from services import transfer_work, transfers, workers
from services.unit import session
from simulator import Simulator
from tests.support.crew import until
from tests.support.pages import Browser
from tests.support.practice import practice_imanage, reached
from tests.support.transfers import Desk, items_of, make_desk, skip_wait, versions

ME, OTHER = "this-process", "another-process"


@dataclass
class Engine:
    """The engine in this process, on tables of its own, and what other processes may have left in them."""

    reconciler: Reconciler
    tables: Path

    def leave(self, item_id: uuid.UUID, **columns: str) -> None:
        """A workflow for the item as somebody else left it; no queue of this release holds it."""
        DBOS.enqueue_workflow_with_options(
            {
                "queue_name": engine.QUEUE,
                "workflow_name": engine.CARRY,
                "workflow_id": str(item_id),
                "app_version": "0",
                "queue_partition_key": "elsewhere",
            },
            str(item_id),
        )
        self.rewrite(item_id, **columns)

    def rewrite(self, item_id: uuid.UUID, **columns: str) -> None:
        if columns:
            named = ", ".join(f"{name} = ?" for name in columns)
            with sqlite3.connect(self.tables, timeout=30) as connection:
                connection.execute(
                    f"UPDATE workflow_status SET {named} WHERE workflow_uuid = ?",
                    (*columns.values(), str(item_id)),
                )
            connection.close()


@pytest.fixture(scope="module")
def practice_world() -> Iterator[Simulator]:
    with practice_imanage() as practice:
        yield practice


@pytest.fixture
def desk(browser: Browser, practice_world: Simulator) -> Iterator[Desk]:
    with reached(practice_world) as practice:
        yield make_desk(browser, practice)


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
    workers.beat(ME)
    return Engine(Reconciler(ME), tables)


@pytest.fixture
def item_id(desk: Desk) -> uuid.UUID:
    document = desk.practice.world.named("SPA – Project Heron")
    command = transfers.GetCommand(uuid.uuid4(), desk.matter_id, desk.server.id, (document.id(),))
    (item,) = items_of(transfers.start_get(desk.actor, command))
    return item.id


def row(item_id: uuid.UUID) -> TransferItem:
    session().rollback()
    return session().get_one(TransferItem, item_id)


def status_of(item_id: uuid.UUID, run: int = 0) -> str | None:
    found = DBOS.list_workflows(workflow_ids=[engine.workflow_id(str(item_id), run)])
    return found[0].status if found else None


def until_done(item_id: uuid.UUID) -> None:
    until(lambda: row(item_id).state == "done", "the item", 15)
    assert len(versions()) == 1


def test_an_item_that_nobody_knows_of_is_started_once(launched: Engine, item_id: uuid.UUID) -> None:
    assert launched.reconciler.start_due() == 1
    until_done(item_id)
    assert launched.reconciler.start_due() == 0


def test_a_run_that_fell_over_rests_and_is_made_again(
    launched: Engine, item_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_item_id: uuid.UUID) -> int:
        raise OSError("The database cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(transfer_work, "claim", fails)
        launched.reconciler.start_due()
        until(lambda: status_of(item_id) == "ERROR", "the fall", 15)
    assert launched.reconciler.start_due() == 0
    resting = row(item_id)
    assert (resting.run, resting.attempt, resting.error_code) == (1, 1, "transfer.unexpected")
    assert resting.wait_until is not None
    assert launched.reconciler.start_due() == 0, "it rests"
    skip_wait(item_id)
    assert launched.reconciler.start_due() == 1
    until_done(item_id)


def test_an_item_whose_runs_always_fall_over_fails_in_the_end(launched: Engine, item_id: uuid.UUID) -> None:
    for run in range(6):
        transfer_work.fell_over(item_id, run)
    failed = row(item_id)
    assert (failed.state, failed.error_code) == ("failed", "transfer.unexpected")
    assert failed.transfer.finished_at is not None
    assert launched.reconciler.start_due() == 0


def test_the_work_of_a_worker_without_a_beat_is_taken_over(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=OTHER, application_version="1")
    assert launched.reconciler.start_due() == 0, "somebody seems to carry it"
    assert launched.reconciler.take_over() == 1
    until_done(item_id)


def test_the_work_of_a_living_worker_is_left_alone(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=OTHER, application_version="1")
    workers.beat(OTHER)
    assert launched.reconciler.take_over() == 0
    assert status_of(item_id) == "PENDING"
    workers.gone(OTHER)
    assert launched.reconciler.take_over() == 1, "it stopped in good order and left this behind"
    until_done(item_id)


def test_a_run_that_no_thread_of_its_own_worker_has_is_found(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=ME, application_version="1")
    assert launched.reconciler.take_over() == 0, "it may be just about to begin"
    assert launched.reconciler.take_over() == 1
    until_done(item_id)


def test_a_run_queued_by_an_older_release_is_made_anew(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id)
    assert launched.reconciler.start_due() == 1
    until_done(item_id)
    assert (status_of(item_id), row(item_id).run) == ("CANCELLED", 1)


def test_a_run_under_way_in_an_older_release_is_made_anew(launched: Engine, item_id: uuid.UUID) -> None:
    launched.leave(item_id, status="PENDING", executor_id=OTHER)
    assert launched.reconciler.take_over() == 1
    assert launched.reconciler.start_due() == 1
    until_done(item_id)


@pytest.mark.parametrize("status", ["CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "SUCCESS"])
def test_a_run_that_ended_before_its_item_is_followed_by_another(
    launched: Engine, item_id: uuid.UUID, status: str
) -> None:
    launched.leave(item_id, status=status, application_version="1")
    assert launched.reconciler.start_due() == 1
    until_done(item_id)


def test_the_engine_forgets_what_finished_long_ago(launched: Engine, item_id: uuid.UUID) -> None:
    launched.reconciler.start_due()
    until_done(item_id)
    until(lambda: status_of(item_id) == "SUCCESS", "the end", 15)
    assert forget_finished() == 0
    launched.rewrite(item_id, completed_at="1000000000000")
    assert forget_finished() == 1
    assert status_of(item_id) is None
    with sqlite3.connect(launched.tables) as connection:
        for table in ("operation_outputs", "workflow_input", "workflow_output"):
            rows = connection.execute(
                f"SELECT count(*) FROM {table} WHERE workflow_uuid = ?", (str(item_id),)
            )
            assert rows.fetchone() == (0,)
    connection.close()
