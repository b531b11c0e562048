"""The one table of a transfer item's states, and how the living workers are told from the dead."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models import TransferItem
from services.guidance.outcomes import STATES as STATE_WORDS
from services.operations.worker_heartbeats import LivenessTracker
from services.transfers import states
from services.transfers.states import (
    FINISHED,
    LIVE,
    TRANSITIONS,
    InvalidTransitionError,
    ItemState,
    diagram,
    move,
)

STATES = sorted(TRANSITIONS)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def item_in(state: str) -> TransferItem:
    return TransferItem(state=state, state_at=LONG_AGO)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_only_what_the_table_has_can_happen(before: str, after: str) -> None:
    item = item_in(before)
    if after == before:
        move(item, after)
        assert item.state_at == LONG_AGO
    elif after in TRANSITIONS[before]:
        move(item, after)
        assert item.state == after and item.state_at > LONG_AGO
    else:
        with pytest.raises(InvalidTransitionError):
            move(item, after)
        assert item.state == before and item.state_at == LONG_AGO


def test_every_state_is_carried_by_a_worker_or_waits_for_a_person_or_is_over() -> None:
    assert LIVE | {ItemState.NEEDS_SIGN_IN, ItemState.NEEDS_DECISION} | FINISHED == set(STATES)
    assert not LIVE & FINISHED and not {ItemState.NEEDS_SIGN_IN, ItemState.NEEDS_DECISION} & (LIVE | FINISHED)


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_reached_and_leads_to_an_end(state: str) -> None:
    def reachable(start: str) -> set[str]:
        seen, left = {start}, [start]
        while left:
            new = TRANSITIONS[left.pop()] - seen
            seen |= new
            left += new
        return seen

    assert state in reachable(ItemState.WAITING)
    assert FINISHED & reachable(state)


def test_every_state_has_a_word_for_people() -> None:
    assert set(STATE_WORDS) == set(STATES)
    assert len(set(STATE_WORDS.values())) == len(STATES)


def test_the_diagram_shows_the_table() -> None:
    lines = {line.strip() for line in diagram().splitlines()[1:]}
    arrows = {f"{before} --> {after}" for before, targets in TRANSITIONS.items() for after in targets}
    assert lines == arrows | {f"{end} --> [*]" for end in FINISHED} | {f"[*] --> {ItemState.WAITING}"}


def test_nothing_else_sets_a_state() -> None:
    own = Path(states.__file__)
    others = [path for path in own.parents[1].rglob("*.py") if path != own]
    assert others
    assert [path.name for path in others if re.search(r"item\.state\s*=[^=]", path.read_text())] == []


HEARTBEAT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_worker_is_dead_when_its_heartbeat_has_not_changed_for_long_enough() -> None:
    watch = LivenessTracker(expire_after=10)
    assert watch.living({"a": HEARTBEAT}, now=100) == {"a"}
    assert watch.living({"a": HEARTBEAT}, now=109.9) == {"a"}
    assert watch.living({"a": HEARTBEAT}, now=110) == frozenset()


def test_a_heartbeat_that_changes_is_life_whatever_time_it_says() -> None:
    """A host whose clock is an hour behind, and one whose clock was put back."""
    watch = LivenessTracker(expire_after=10)
    for second in range(0, 60, 4):
        behind = HEARTBEAT - timedelta(hours=1) + timedelta(seconds=second)
        put_back = HEARTBEAT - timedelta(seconds=second)
        assert watch.living({"a": behind, "b": put_back}, now=second) == {"a", "b"}


def test_a_worker_without_a_row_is_not_alive_and_one_that_comes_back_is() -> None:
    watch = LivenessTracker(expire_after=10)
    watch.living({"a": HEARTBEAT}, now=0)
    assert watch.living({}, now=4) == frozenset()
    assert watch.living({"a": HEARTBEAT}, now=20) == {"a"}
