"""Two members share one server: a large transfer of one does not delay the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest
from flask import Flask

from config import Settings
from jobs.worker import LEASE_SECONDS
from models import Server
from services.core.unit_of_work import unit_of_work
from simulator import Fault, Simulator
from simulator.state import Request
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_imanage, reached, sign_in_to_imanage
from tests.support.transfers import Desk, get, items_of, make_desk, make_matter
from tests.support.worker_processes import Workers, running_workers, until

AT_ONCE = 8
SECONDS = 0.3
CONTENT = b"A counterpart of the agreement.\n" * 400


@pytest.fixture
def practice(database: None) -> Iterator[Simulator]:
    with practice_imanage() as running, reached(running) as practice:
        yield practice


@pytest.fixture
def alice(app: Flask, practice: Simulator, database: None) -> Desk:
    desk = make_desk(Browser(app), practice)
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server.id).at_once = AT_ONCE
    return desk


@pytest.fixture
def bram(app: Flask, alice: Desk) -> Desk:
    browser, member = Browser(app), make_member("Associate Bram", email="bram@practice.example")
    browser.sign_in(member)
    sign_in_to_imanage(browser, alice.server.id, "BRAM")
    return Desk(browser, actor_of(member), make_matter(member.id), alice.server, alice.practice)


@pytest.fixture
def workers(settings: Settings, alice: Desk, tmp_path: Path) -> Iterator[Workers]:
    with running_workers(settings, alice.practice.port, tmp_path) as pool:
        yield pool


def named(desk: Desk, user: str, count: int) -> list[str]:
    folder = desk.practice.world.folder("Drafts", "Active")
    add = desk.practice.world.add_document
    return [add(folder, f"{user} {n}", "txt", CONTENT + b"%d" % n, user).id() for n in range(count)]


def downloads(desk: Desk, user: str) -> list[Request]:
    return [call for call in desk.practice.requests if call.user == user and call.path.endswith("/download")]


def under_way(calls: list[Request], at: float) -> int:
    return sum(call.at <= at < call.at + call.seconds for call in calls)


def most_at_once(calls: list[Request]) -> int:
    return max((under_way(calls, call.at) for call in calls), default=0)


def is_done(*desks_items: list[object]) -> bool:
    return all(item.state == "done" for items in desks_items for item in items)


@pytest.mark.parametrize("how_many_workers", [1, 2])
def test_a_few_documents_overtake_thousands_of_another_member(
    alice: Desk, bram: Desk, workers: Workers, how_many_workers: int
) -> None:
    alice.practice.faults.add(Fault("slow", path="/download", seconds=SECONDS, times=None))
    for _ in range(how_many_workers):
        workers.start()
    time.sleep(2 * LEASE_SECONDS)  # they know of each other now
    many = get(alice, *named(alice, "ALICE", 80))
    until(lambda: most_at_once(downloads(alice, "ALICE")) == AT_ONCE, "alone, Alice to use every slot")
    few = get(bram, *named(bram, "BRAM", 24))
    until(lambda: is_done(items_of(few)), "Bram's documents to be done")
    assert not is_done(items_of(many)), "Alice's were all done before"
    until(lambda: is_done(items_of(many)), "Alice's documents to be done", 60)
    alice_calls, bram_calls = downloads(alice, "ALICE"), downloads(bram, "BRAM")
    assert (len(alice_calls), len(bram_calls)) == (80, 24)
    began = sorted(call.at for call in bram_calls)
    first, others_waited_until = began[0], began[-AT_ONCE - 1]
    # What was in flight when Bram's first document started runs to its end.
    shared = [
        under_way(alice_calls, call.at)
        for call in alice_calls
        if first + SECONDS < call.at < others_waited_until
    ]
    # While none of Bram's documents is ready, as between two claims, Alice's take the free slot.
    assert mean(shared) <= AT_ONCE / 2 + 1 and sum(each == AT_ONCE for each in shared) < len(shared) / 4, (
        shared
    )
    together = [
        under_way(alice_calls, call.at) + under_way(bram_calls, call.at)
        for call in [*alice_calls, *bram_calls]
    ]
    assert max(together) <= AT_ONCE
