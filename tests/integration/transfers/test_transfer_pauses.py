"""Pausing a transfer, and the circuit breaker of a server: as long as it asks, or after it failed again and again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask

from copying.values import Progress
from models import ServerCircuit, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue
from services.execution.item_run import ItemRun
from services.servers import circuit_breaker
from services.transfers import control
from simulator import Fault
from tests.support.transfers import Desk, carry, get, items_of, skip_wait, versions

NAME = "SPA – Project Heron"


def due() -> int:
    session().rollback()
    return len(queue.due(100))


def test_a_paused_transfer_is_not_due_until_it_is_resumed(desk: Desk) -> None:
    transfer_id = get(desk, desk.practice.world.named(NAME).id())
    (item,) = items_of(transfer_id)
    control.pause(desk.actor, transfer_id)
    asked = len(desk.practice.requests)
    assert due() == 0
    assert carry(item.id).state == "waiting"
    assert len(desk.practice.requests) == asked
    control.resume(desk.actor, transfer_id)
    assert due() == 1
    assert carry(item.id).state == "done"
    assert len(versions()) == 1


def test_a_transfer_paused_while_bytes_move_keeps_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.execution.authorization.RECHECK_SECONDS", 0.0)
    large = desk.practice.world.named("Data room index")
    transfer_id = get(desk, large.id())
    (item,) = items_of(transfer_id)

    def on_progress(_run: ItemRun, progress: Progress) -> None:
        if progress.done:
            control.pause(desk.actor, transfer_id)

    with monkeypatch.context() as patched:
        patched.setattr(ItemRun, "on_progress", on_progress)
        assert carry(item.id).state == "waiting"
    control.resume(desk.actor, transfer_id)
    assert carry(item.id).state == "done"
    sent = [call.bytes_out for call in desk.practice.requests if call.path.endswith("/download")]
    assert sent[-1] < large.latest.content.size, "the second download begins where the first ended"


def test_throttling_holds_for_everybody_on_that_server(desk: Desk) -> None:
    first = get(desk, desk.practice.world.named(NAME).id())
    second = get(desk, desk.practice.world.named("Archive.tar").id())
    desk.practice.faults.add(Fault("throttle", path="/documents/", reset=90, times=1))
    carry(items_of(first)[0].id)
    assert due() == 0
    assert items_of(second)[0].state == "waiting"
    pause = circuit_breaker.open_circuits()[desk.server.id]
    assert pause.until > utcnow() + timedelta(seconds=80)


def test_repeated_failures_pause_the_server_and_a_success_forgets_them(desk: Desk) -> None:
    transfer_id = get(desk, desk.practice.world.named(NAME).id())
    (item,) = items_of(transfer_id)
    desk.practice.faults.add(Fault("status", path="/documents/", status=500, times=None))
    for count in range(1, circuit_breaker.FAILURES_TO_OPEN + 1):
        assert due() == 1
        carry(item.id)
        skip_wait(item.id)
        session().rollback()
        assert session().get_one(ServerCircuit, desk.server.id).failures == count
    assert due() == 0
    desk.practice.faults.clear()
    with unit_of_work() as writing:
        writing.get_one(ServerCircuit, desk.server.id).open_until = utcnow() - timedelta(seconds=1)
    assert due() == 1
    assert carry(item.id).state == "done"
    session().rollback()
    assert session().get(ServerCircuit, desk.server.id) is None


def test_a_refused_sign_in_never_counts_against_the_server(desk: Desk) -> None:
    (item,) = items_of(get(desk, desk.practice.world.named(NAME).id()))
    desk.practice.faults.add(Fault("expire_tokens", times=1))
    desk.practice.faults.add(Fault("refuse_refresh", times=None))
    assert carry(item.id).state == "needs_sign_in"
    session().rollback()
    assert session().get(ServerCircuit, desk.server.id) is None


def test_a_small_transfer_does_not_wait_for_the_tail_of_a_huge_one(desk: Desk) -> None:
    drafts = desk.practice.world.folder("Disclosure", "Active")
    many = [document.id() for document in desk.practice.world.documents_in(drafts)[:60]]
    huge = get(desk, *many)
    small = get(desk, desk.practice.world.named(NAME).id(), desk.practice.world.named("Archive.tar").id())
    session().rollback()
    first = [turn.id for turn in queue.due(6)]
    assert {item.id for item in items_of(small)} <= set(first)
    assert {item.id for item in items_of(huge)[:2]} <= set(first)


def test_two_workers_that_meet_a_servers_first_failure_at_once_count_both(app: Flask, desk: Desk) -> None:
    """Neither may lose its own unit over it: the first row of a server is made by both at one moment."""
    meet = threading.Barrier(2)

    def fails() -> None:
        with app.app_context(), unit_of_work():
            if session().get_bind().dialect.name == "postgresql":
                assert session().get(ServerCircuit, desk.server.id) is None
                meet.wait(10)  # SQLite lets no second writer begin
            circuit_breaker.record_failure(
                desk.server.id, "imanage.unreachable", "It could not be reached.", None
            )

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(fails) for _ in range(2)]:
            one.result(20)
    session().rollback()
    assert session().get_one(ServerCircuit, desk.server.id).failures == 2
