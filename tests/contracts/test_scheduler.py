"""The scheduler of a worker: whatever became of a claim, its item is carried out, and once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask

from jobs.scheduler import Scheduler
from models import TransferItem
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue, steps
from services.execution.item_run import Claim
from services.operations import worker_heartbeats
from simulator import Fault
from tests.support.transfers import Desk, get, items_of, skip_wait, versions
from tests.support.worker_processes import until

ME, OTHER = "this-process", "another-process"


@pytest.fixture
def scheduler(app: Flask, desk: Desk) -> Iterator[Scheduler]:
    worker_heartbeats.record(ME)
    scheduler = Scheduler(ME, app.app_context)
    yield scheduler
    assert scheduler.wait(10)


@pytest.fixture
def item_id(desk: Desk) -> uuid.UUID:
    (item,) = items_of(get(desk, desk.practice.world.named("SPA – Project Heron").id()))
    return item.id


def row(item_id: uuid.UUID) -> TransferItem:
    session().rollback()
    return session().get_one(TransferItem, item_id)


def until_done(item_id: uuid.UUID) -> None:
    until(lambda: row(item_id).state == "done", "the item", 15)
    assert len(versions()) == 1


def test_a_due_item_is_claimed_once(scheduler: Scheduler, item_id: uuid.UUID) -> None:
    assert scheduler.take_due() == 1
    until_done(item_id)
    assert scheduler.take_due() == 0
    assert row(item_id).fencing_token == 1


def test_an_item_is_claimed_by_one_worker(scheduler: Scheduler, item_id: uuid.UUID) -> None:
    assert queue.claim(OTHER, [item_id]) == {item_id: 1}
    assert queue.claim(ME, [item_id]) == {}
    assert scheduler.take_due() == 0


def test_a_claim_that_no_thread_of_its_worker_runs_is_released(
    scheduler: Scheduler, item_id: uuid.UUID
) -> None:
    queue.claim(ME, [item_id])
    assert scheduler.check_leases() == 0, "it may be just about to begin"
    assert scheduler.check_leases() == 1
    assert scheduler.take_due() == 1
    until_done(item_id)


def test_a_claim_that_is_running_is_kept(scheduler: Scheduler, item_id: uuid.UUID, desk: Desk) -> None:
    slow = desk.practice.faults.add(Fault("slow", path="/download", seconds=1, times=1))
    scheduler.take_due()
    until(lambda: desk.practice.faults.times_applied(slow), "the download")
    assert [scheduler.check_leases() for _ in range(3)] == [0, 0, 0]
    until_done(item_id)
    assert row(item_id).fencing_token == 1


def test_a_run_that_cannot_write_its_error_rests_and_is_tried_again(
    scheduler: Scheduler, item_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object) -> None:
        raise OSError("The database cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(steps, "carry_out", fails)
        scheduler.take_due()
        assert scheduler.wait(10)
    scheduler.check_leases()
    resting = row(item_id)
    assert (resting.worker_id, resting.attempt, resting.error_code) == (None, 1, "transfer.unexpected")
    assert resting.wait_until is not None
    assert scheduler.take_due() == 0, "it rests"
    skip_wait(item_id)
    assert scheduler.take_due() == 1
    until_done(item_id)


def test_an_item_whose_runs_always_fail_so_fails_in_the_end(scheduler: Scheduler, item_id: uuid.UUID) -> None:
    for _ in range(6):
        (claim,) = queue.claim(ME, [item_id]).items()
        steps.retry_or_fail([Claim(*claim)])
        skip_wait(item_id)
    failed = row(item_id)
    assert (failed.state, failed.error_code) == ("failed", "transfer.unexpected")
    assert failed.transfer.finished_at is not None
    assert scheduler.take_due() == 0


def test_what_another_worker_has_claimed_since_does_not_rest(
    scheduler: Scheduler, item_id: uuid.UUID
) -> None:
    (claim,) = queue.claim(ME, [item_id]).items()
    queue.release(*claim)
    queue.claim(OTHER, [item_id])
    steps.retry_or_fail([Claim(*claim)])
    queue.release(*claim)
    assert (row(item_id).worker_id, row(item_id).attempt) == (OTHER, 0)


def test_an_item_that_waits_is_free(scheduler: Scheduler, item_id: uuid.UUID, desk: Desk) -> None:
    desk.practice.faults.add(Fault("cut", path="/download", fraction=0.5, times=1))
    scheduler.take_due()
    until(lambda: row(item_id).wait_until and row(item_id).worker_id is None, "the wait", 15)
    skip_wait(item_id)
    assert scheduler.take_due() == 1
    until_done(item_id)


def test_an_item_that_waits_for_a_member_is_free_when_they_have_acted(
    scheduler: Scheduler, item_id: uuid.UUID, desk: Desk
) -> None:
    from services.connections import disconnecting

    disconnecting.disconnect(desk.actor, desk.server.id)
    scheduler.take_due()
    until(lambda: row(item_id).state == "needs_sign_in" and row(item_id).worker_id is None, "the wait", 15)


def test_the_claims_of_a_living_worker_are_kept(scheduler: Scheduler, item_id: uuid.UUID) -> None:
    worker_heartbeats.record(OTHER)
    queue.claim(OTHER, [item_id])
    assert [scheduler.check_leases() for _ in range(3)] == [0, 0, 0]
    assert scheduler.slots.workers == 2
    worker_heartbeats.remove(OTHER)
    assert scheduler.check_leases() == 1, "it has stopped, and left this behind"
    assert scheduler.take_due() == 1
    until_done(item_id)


def test_the_claims_of_a_worker_without_heartbeats_are_released(
    scheduler: Scheduler, item_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker_heartbeats.record(OTHER)
    queue.claim(OTHER, [item_id])
    assert scheduler.check_leases() == 0
    now = 1e9
    monkeypatch.setattr("jobs.scheduler.time.monotonic", lambda: now)
    assert scheduler.check_leases() == 1
    assert scheduler.slots.workers == 1


def test_what_is_left_of_several_claims_is_carried_out_and_nothing_else(
    scheduler: Scheduler, desk: Desk, item_id: uuid.UUID
) -> None:
    """One of three documents was done when the worker died."""
    named = [desk.practice.world.named(name).id() for name in ("Archive.tar", "Data room index")]
    items = [item_id, *(item.id for item in items_of(get(desk, *named)))]
    claims = queue.claim(OTHER, items)
    with unit_of_work() as writing:
        writing.get_one(TransferItem, items[0]).state = "running"
        writing.get_one(TransferItem, items[0]).state = "done"
    assert scheduler.check_leases() == 2
    asked = len(desk.practice.requests)
    assert scheduler.take_due() == 2
    until(lambda: all(row(each).state == "done" for each in items), "the others", 15)
    assert len(versions()) == 2 and claims.keys() == set(items)
    done = desk.practice.world.named("SPA – Project Heron").id()
    assert not any(done in call.path for call in desk.practice.requests[asked:])
