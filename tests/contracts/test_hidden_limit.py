"""A server that takes only so many calls a second, and says so only by refusing: a real worker finds how many."""

from __future__ import annotations

from flask import Flask

from jobs.scheduler import Scheduler
from models import ServerConcurrency
from services.core.unit_of_work import session
from services.operations import worker_heartbeats
from tests.support.transfers import Desk, get, items_of

DOCUMENTS = 60
CALLS_A_SECOND = 40
LATENCY = 0.1
FITS = CALLS_A_SECOND * LATENCY


def test_a_worker_finds_the_limit_that_refusals_hide(desk: Desk, app: Flask) -> None:
    world = desk.practice.world
    drafts = world.folder("Drafts", "Active")
    sources = [
        world.add_document(drafts, f"Small {index}", "txt", f"text {index}".encode(), "ALICE").id()
        for index in range(DOCUMENTS)
    ]
    transfer_id = get(desk, *sources)
    worker_heartbeats.record("this-process")
    scheduler = Scheduler("this-process", app.app_context)
    desk.practice.settings.update({"rate_limit": CALLS_A_SECOND, "latency": LATENCY})
    desk.practice.forget_requests()
    seen = []
    while scheduler.take_due() or scheduler.running():
        scheduler.wanting.wait(0.25)
        scheduler.adapt()
        session().rollback()
        seen.append(session().get_one(ServerConcurrency, desk.server.id).at_once)
    assert {item.state for item in items_of(transfer_id)} == {"done"}
    calls = desk.practice.requests
    refused = sum(call.status == 429 for call in calls)
    assert 0 < refused <= len(calls) // 20, f"{refused} of {len(calls)}, {seen}"
    assert FITS / 2 <= seen[-1] <= FITS + 1, seen
