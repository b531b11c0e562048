"""A worker follows what a server answers: the row holds today's limit, the slots keep it, and the page says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from jobs.scheduler import Scheduler
from models import Server, ServerConcurrency, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.execution import item_run, queue
from services.execution.item_run import task_of
from services.operations import worker_heartbeats
from services.servers import concurrency
from services.servers.concurrency import GROWING, REFUSED, START, Limit
from simulator import Fault
from tests.support.transfers import Desk, carry_all, get, items_of


@pytest.fixture
def scheduler(app: Flask) -> Scheduler:
    worker_heartbeats.record("this-process")
    return Scheduler("this-process", app.app_context)


def row(desk: Desk) -> ServerConcurrency | None:
    session().rollback()
    return session().get(ServerConcurrency, desk.server.id)


def limited(desk: Desk, at_once: int, too_many: int | None = None, reason: str = GROWING) -> None:
    with unit_of_work() as writing:
        writing.merge(
            ServerConcurrency(
                server_id=desk.server.id,
                at_once=at_once,
                too_many=too_many,
                reason=reason,
                changed_at=utcnow() - timedelta(seconds=30),
            )
        )


def documents(desk: Desk, number: int) -> list[str]:
    world = desk.practice.world
    drafts = world.folder("Drafts", "Active")
    return [
        world.add_document(drafts, f"Paced {index}", "txt", f"text {index}".encode(), "ALICE").id()
        for index in range(number)
    ]


def test_a_new_server_starts_low_and_one_in_use_where_it_was(desk: Desk) -> None:
    get(desk, *documents(desk, 1))
    (due,) = queue.due(10)
    assert due.at_once == START
    limited(desk, 7)
    (due,) = queue.due(10)
    assert due.at_once == 7
    limited(desk, 40)
    (due,) = queue.due(10)
    assert due.at_once == 16, "More than the admin allows."
    (found,) = item_run.read([due.id])
    assert task_of(found).at_once == 16


def test_a_refused_call_lowers_the_limit_for_all_workers(desk: Desk, scheduler: Scheduler) -> None:
    limited(desk, 9)
    desk.practice.faults.add(Fault("throttle", path="/documents/", reset=1, times=1))
    carry_all(get(desk, *documents(desk, 1)))
    scheduler.adapt()
    found = row(desk)
    assert found is not None
    assert (found.at_once, found.too_many, found.reason) == (6, 9, REFUSED)
    scheduler.adapt()
    assert row(desk) is found, "Nothing was answered since."


def test_a_server_that_answers_without_waiting_runs_stays(desk: Desk, scheduler: Scheduler) -> None:
    limited(desk, 5)
    carry_all(get(desk, *documents(desk, 3)))
    scheduler.adapt()
    found = row(desk)
    assert found is not None
    assert found.at_once == 5


def test_it_grows_while_runs_wait_and_everything_arrives_once(desk: Desk, scheduler: Scheduler) -> None:
    limited(desk, 2)
    desk.practice.settings.latency = 0.05
    transfer_id = get(desk, *documents(desk, 24))
    while scheduler.take_due() or scheduler.running():
        scheduler.wanting.wait(0.05)
        scheduler.adapt()
    found = row(desk)
    assert found is not None
    assert 2 < found.at_once <= 16
    assert {item.state for item in items_of(transfer_id)} == {"done"}


def test_two_workers_make_one_step(desk: Desk) -> None:
    limited(desk, 5)
    before = concurrency.today(desk.server.id)
    assert before is not None
    concurrency.change(desk.server.id, before, Limit(6, None, GROWING, utcnow()))
    concurrency.change(desk.server.id, before, Limit(3, 5, REFUSED, utcnow()))
    found = row(desk)
    assert found is not None
    assert (found.at_once, found.reason) == (6, GROWING)


def test_two_workers_make_one_row(desk: Desk) -> None:
    for at_once in (3, 4):
        concurrency.change(desk.server.id, None, Limit(at_once, None, GROWING, utcnow()))
    found = row(desk)
    assert found is not None
    assert found.at_once == 3


def test_answers_of_a_removed_server_change_nothing(desk: Desk, scheduler: Scheduler) -> None:
    carry_all(get(desk, *documents(desk, 1)))
    server_id = desk.server.id
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Server, server_id))
    scheduler.adapt()
    assert session().query(ServerConcurrency).all() == []
