"""A server that takes only so many calls a second, and says so only by refusing: a real worker finds how many."""

from __future__ import annotations

import time
import uuid

from flask import Flask

from jobs.scheduler import Scheduler
from jobs.worker import ADAPT_SECONDS
from models import ServerConcurrency
from services.core.unit_of_work import session
from services.operations import worker_heartbeats
from services.picker.browse import Location, Step
from services.picker.port import PICKER
from services.transfers import requests
from services.transfers.requests import GetCommand
from tests.support.transfers import Desk, items_of

DOCUMENTS = 60
CALLS_A_SECOND = 12
LATENCY = 0.2
MOST_REFUSED = 8
"""Two or three refusals of what moves at a time; a worker that did not learn would have one every second."""
FITS = CALLS_A_SECOND * LATENCY


def test_a_worker_finds_the_limit_that_refusals_hide(desk: Desk, app: Flask) -> None:
    world = desk.practice.world
    folder = world.add_folder(world.folder("Drafts", "Active"), "Small set")
    for index in range(DOCUMENTS):
        world.add_document(folder, f"Small {index}", "txt", f"text {index}".encode(), "ALICE")
    chosen = PICKER.collect(
        desk.actor, desk.matter_id, desk.server.id, Location((Step("folder", folder.id, folder.name),))
    ).documents
    sources, called = tuple(id for id, _, _ in chosen), tuple(called for _, _, called in chosen)
    command = GetCommand(uuid.uuid4(), desk.matter_id, desk.server.id, sources, called=called)
    transfer_id = requests.start_get(desk.actor, command)
    worker_heartbeats.record("this-process")
    scheduler = Scheduler("this-process", app.app_context)
    desk.practice.settings.update({"rate_limit": CALLS_A_SECOND, "latency": LATENCY})
    desk.practice.forget_requests()
    seen = []
    while scheduler.take_due() or scheduler.running():
        time.sleep(ADAPT_SECONDS)
        scheduler.adapt()
        session().rollback()
        seen.append(session().get_one(ServerConcurrency, desk.server.id).at_once)
    assert {item.state for item in items_of(transfer_id)} == {"done"}
    calls = desk.practice.requests
    refused = sum(call.status == 429 for call in calls)
    said = f"{refused} of {len(calls)}, {seen}"
    assert 0 < refused <= MOST_REFUSED, said
    assert seen[-1] <= FITS + 1, seen
