"""Each fact of a server turned alone, then many at once: what is found is right, and everything works with it.

`make faults` tries ten times as many combinations.
"""

from __future__ import annotations

import os
import random

import pytest

from imanage.learning_calls import KEPT_FOR_CLEANING, MOST_REQUESTS, Found
from imanage.server_facts import ASSUMED, FACTS, fits, stored
from simulator import Fault
from tests.contracts.facts.bench import Bench, facts_of
from tests.contracts.facts.dials import FLIPS, Flip

PARTS = 4
COMBINATIONS = 200 if os.environ.get("FAULTS") == "all" else 20
MOST_AT_ONCE = 5
UNKNOWN_AS_USUAL = {"rate_headers"}
NOT_REQUIRED_TOGETHER = frozenset(
    {"max_limit", "over_limit", "fallback_type", "totals", "document_containers"}
)
"""Facts that a second unusual thing can hide: without pages, search, recent workspaces or types they stay unknown."""


def stored_names(bench: Bench) -> list[str]:
    names = [document.latest.name for document in bench.sim.world.documents("Active")]
    return [name for name in names if name.startswith("Counterpart learns ")]


def wrong(found: Found, expected: dict[str, object]) -> dict[str, object]:
    return {
        name: (found.values[name], value)
        for name, value in expected.items()
        if name in found.values and found.values[name] != value
    }


@pytest.fixture(scope="module")
def usual(running: Bench) -> dict[str, object]:
    """What a run finds of the practice server as it is."""
    running.turn()
    return dict(running.learn(running.scratch).values)


def test_the_usual_server_is_learned_whole_and_nothing_is_left(bench: Bench) -> None:
    found = bench.learn(bench.scratch)
    assert set(found.unknown) == UNKNOWN_AS_USUAL
    from_sign_ins = {fact.name for fact in FACTS.values() if fact.needs in {"sign_in", "use"}}
    assert set(found.values) | UNKNOWN_AS_USUAL | from_sign_ins == set(FACTS)
    assert all(fits(FACTS[name], stored(value)) for name, value in found.values.items())
    assert (found.stopped, found.left_behind, stored_names(bench)) == ("", [], [])
    assert len(bench.sent) < 100
    logged = [(each.method, each.path) for each in bench.sim.requests[-len(bench.sent) :]]
    assert logged == [(each.method, each.path) for each in bench.sent]


def test_without_a_scratch_folder_nothing_is_written(bench: Bench) -> None:
    found = bench.learn()
    assert {each.method for each in bench.sent} == {"GET"}
    assert {name for name, why in found.unknown.items() if "scratch folder" in why} == {
        fact.name for fact in FACTS.values() if fact.needs == "folder"
    }


@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: flip.name)
def test_one_unusual_thing(bench: Bench, usual: dict[str, object], flip: Flip) -> None:
    bench.turn(**flip.dials_at(bench.sim.url))
    already = len(bench.sim.requests)
    found = bench.learn(bench.scratch)
    expected = usual | flip.facts
    assert wrong(found, expected) == {}
    if "rate_limit" not in flip.dials or any(each.status == 429 for each in bench.sim.requests[already:]):
        assert {name: why for name, why in found.unknown.items() if name in flip.facts} == {}
    assert found.stopped == ""
    left = [str(each) for each in found.left_behind]
    assert bool(left) == bool(stored_names(bench)) == (flip.facts.get("deletes") is False)
    failed = bench.work(facts_of(found))
    assert {name: why for name, why in failed.items() if name not in flip.unable} == {}


def test_at_least_nineteen_of_twenty_are_found(bench: Bench) -> None:
    """The bar: of the flips that stand for a fact, at least 95 % are found (and above: none is wrong)."""
    flips = [flip for flip in FLIPS if flip.facts and "rate_limit" not in flip.dials]
    missed = []
    for flip in flips:
        bench.turn(**flip.dials_at(bench.sim.url))
        found = bench.learn(bench.scratch)
        missed += [flip.name for name, value in flip.facts.items() if found.values.get(name) != value]
        bench.clean()
    assert len({name for flip in flips for name in flip.facts}) >= 40
    assert len(set(missed)) <= len(flips) // 20, missed


@pytest.mark.parametrize("part", range(PARTS))
def test_many_unusual_things_at_once(bench: Bench, usual: dict[str, object], part: int) -> None:
    dice = random.Random(17 + part)
    pool = [flip for flip in FLIPS if "rate_limit" not in flip.dials]
    for _ in range(COMBINATIONS // PARTS):
        chosen: list[Flip] = []
        for flip in dice.sample(pool, MOST_AT_ONCE):
            if all(flip.goes_with(each) for each in chosen):
                chosen.append(flip)
        names = [flip.name for flip in chosen]
        bench.turn(**{name: value for flip in chosen for name, value in flip.dials_at(bench.sim.url).items()})
        found = bench.learn(bench.scratch)
        expected = usual | {name: value for flip in chosen for name, value in flip.facts.items()}
        assert wrong(found, expected) == {}, names
        hidden = {name for flip in chosen for name in flip.facts} - found.values.keys()
        assert hidden <= NOT_REQUIRED_TOGETHER, names
        unable = {name for flip in chosen for name in flip.unable}
        failed = bench.work(facts_of(found))
        assert {name: why for name, why in failed.items() if name not in unable} == {}, names
        bench.clean()


def test_a_run_never_sends_more_than_its_requests(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imanage.learning_calls.MOST_REQUESTS", 40 + KEPT_FOR_CLEANING)
    found = bench.learn(bench.scratch)
    assert "requests" in found.stopped
    assert len(bench.sent) <= 40 + KEPT_FOR_CLEANING < MOST_REQUESTS
    assert stored_names(bench) == []
    assert wrong(found, {name: getattr(ASSUMED, name) for name in ("ranges", "checksum", "paging")}) == {}


def test_the_line_breaks_in_the_middle_of_an_upload(bench: Bench) -> None:
    """The answer is lost after it was stored: the document is found by its name and deleted."""
    bench.sim.faults.add(Fault("lost_after", method="POST", path="/folders/[^/]+/documents"))
    found = bench.learn(bench.scratch)
    assert found.stopped
    assert (stored_names(bench), found.left_behind) == ([], [])
    assert "ranges" in found.values and "upload_status" not in found.values


@pytest.mark.parametrize("kind", ["html", "redirect", "cut_headers", "giant_headers", "endless_json"])
def test_answers_that_are_none_teach_nothing(bench: Bench, usual: dict[str, object], kind: str) -> None:
    bench.sim.faults.add(Fault(kind, path="/(types|classes|download|versions)", times=None, location="/x"))
    found = bench.learn(bench.scratch)
    assert wrong(found, usual) == {}
    assert stored_names(bench) == []


def test_a_server_fault_is_no_finding(bench: Bench, usual: dict[str, object]) -> None:
    bench.sim.faults.add(
        Fault("status", path="/(my-favorites|change-events|versions|download)", times=None, status=503)
    )
    found = bench.learn(bench.scratch)
    assert wrong(found, usual) == {}
    assert {"favourites", "change_events", "ranges"} <= found.unknown.keys()


def test_a_folder_that_cannot_be_read_is_said(bench: Bench) -> None:
    found = bench.learn("Active!999999999")
    assert found.stopped == "The scratch folder cannot be read."
    assert not any(each.method == "POST" for each in bench.sent)


def test_a_token_that_nobody_knows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "token", lambda: "unknown")
    found = bench.learn()
    assert found.stopped == "iManage does not recognise the sign-in in any header."
    assert found.values == {}


def test_a_server_that_asks_to_wait_long_ends_the_run(bench: Bench, usual: dict[str, object]) -> None:
    bench.sim.faults.add(Fault("throttle", path="/classes", reset=600, times=None))
    found = bench.learn(bench.scratch)
    assert found.stopped == "The server asked Counterpart to wait."
    assert wrong(found, usual) == {}


def test_more_versions_than_one_list_holds(bench: Bench) -> None:
    """The newest versions are not missed: a save would be refused as outdated, or a twin shown as the newest."""
    bench.turn(max_limit=20, default_limit=20)
    facts = facts_of(bench.learn(bench.scratch))
    for _ in range(25):
        assert bench.work(facts) == {}
