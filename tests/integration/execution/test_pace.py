"""A server's pace: how many documents a minute each member may begin there, over all workers."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from jobs.scheduler import Scheduler
from models import MemberPace, Server, Transfer, TransferItem
from models.transfers import ItemState
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue
from services.operations import worker_heartbeats
from services.transfers import control
from tests.support.people import make_member
from tests.support.transfers import Desk, get, items_of

SECONDS = 2
"""Between two documents at a pace of 30."""


def paced(desk: Desk, pace: int | None) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server.id).pace = pace


def documents(desk: Desk, number: int) -> list[str]:
    world = desk.practice.world
    drafts = world.folder("Drafts", "Active")
    return [
        world.add_document(drafts, f"Paced {index}", "txt", f"text {index}".encode(), "ALICE").id()
        for index in range(number)
    ]


def claim(worker: str, due: tuple[queue.Due, ...] | None = None) -> list[uuid.UUID]:
    return list(queue.claim(worker, [], queue.due(10) if due is None else due))


def later(seconds: float) -> None:
    """As if so much time had gone by."""
    with unit_of_work() as writing:
        for row in writing.query(MemberPace):
            row.next_at -= timedelta(seconds=seconds)


def test_one_document_begins_at_a_time_and_the_rest_is_not_due(desk: Desk) -> None:
    paced(desk, 30)
    first, second, *_ = (item.id for item in items_of(get(desk, *documents(desk, 4))))
    assert [due.pace for due in queue.due(10)] == [30] * 4
    assert claim("a") == [first]
    assert queue.due(10) == ()
    later(SECONDS - 0.5)
    assert queue.due(10) == ()
    later(0.5)
    assert claim("a") == [second]
    later(60)
    assert len(claim("a")) == 1, "Time that nobody used is not saved up."
    paced(desk, None)
    later(SECONDS)
    assert {due.pace for due in queue.due(10)} == {None}


def test_workers_that_saw_the_same_queue_share_one_pace(desk: Desk) -> None:
    paced(desk, 30)
    first, second, *_ = (item.id for item in items_of(get(desk, *documents(desk, 4))))
    seen = queue.due(10)
    assert claim("a", seen) == [first]
    assert claim("b", seen) == []
    later(SECONDS)
    assert claim("b", seen) == [second], "What another worker holds does not count again."


def test_a_fast_pace_catches_up_with_slow_polls(desk: Desk) -> None:
    paced(desk, 600)
    get(desk, *documents(desk, 9))
    assert len(claim("a")) == 1
    later(0.5)
    assert len(claim("a")) in {5, 6}


def test_another_member_has_a_pace_of_their_own(desk: Desk) -> None:
    paced(desk, 30)
    get(desk, *documents(desk, 2))
    assert len(claim("a")) == 1
    bob = make_member("Bob")
    other = get(desk, *documents(desk, 1))
    with unit_of_work() as writing:
        writing.execute(update(Transfer).where(Transfer.id == other).values(member_id=bob.id))
    assert [due.member for due in queue.due(10)] == [bob.id]
    assert claim("a") == [items_of(other)[0].id]


def test_cancelling_does_not_wait_for_the_pace(desk: Desk) -> None:
    paced(desk, 1)
    transfer_id = get(desk, *documents(desk, 3))
    first, *_ = claim("a")
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, first)
        item.worker_id, item.state = None, ItemState.RUNNING
    assert queue.due(10) == ()
    control.cancel(desk.actor, transfer_id)
    assert [(due.id, due.pace) for due in queue.due(10)] == [(first, None)]


def test_a_worker_keeps_the_pace_and_finishes(desk: Desk, app: Flask) -> None:
    paced(desk, 600)
    worker_heartbeats.record("this-process")
    scheduler = Scheduler("this-process", app.app_context)
    transfer_id = get(desk, *documents(desk, 9))
    began = time.monotonic()
    while queue.has_live_items():
        session().rollback()  # as each duty reads anew
        scheduler.take_due()
        scheduler.wanting.wait(0.05)
    assert time.monotonic() - began >= 0.7
    assert {item.state for item in items_of(transfer_id)} == {"done"}


def test_the_page_says_how_long_it_takes(desk: Desk) -> None:
    transfer_id = get(desk, *documents(desk, 5))
    address = f"/transfers/{transfer_id}"
    assert "a minute" not in desk.browser.page(address).text
    paced(desk, 2)
    said = "Your firm allows each member 2 documents a minute. At this pace the rest takes about 3 minutes."
    assert said in desk.browser.page(address).text
    session().rollback()


def test_the_pop_up_says_so_before(desk: Desk) -> None:
    address = f"/matters/{desk.matter_id}/get/{desk.server.id}"
    page = desk.browser.page(address, htmx=True).html
    assert 'data-from="101"' in page and "iManage records that you read each of these documents" in page
    paced(desk, 30)
    page = desk.browser.page(address, htmx=True).html
    assert 'data-from="31" data-pace="30"' in page and "30 documents a minute here" in page
