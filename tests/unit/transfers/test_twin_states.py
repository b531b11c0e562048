"""Every combination of facts about a document and its twin has one state; the sentence says no more than they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.guidance.outcomes import TWINS
from services.guidance.outcomes import twin_sentence as sentence
from services.transfers.twin_states import (
    FORBIDDEN,
    GONE,
    VISIBLE,
    Copy,
    KnownCopy,
    TwinFacts,
    TwinState,
    facts_of,
)

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
OLD, NEW, EDITED = Copy(1, "a"), Copy(2, "b"), Copy(3, "c")
S = TwinState


def known(
    here: Copy, version: int, latest: int, *, saved: bool = False, access: str = VISIBLE, hours: int = 1
) -> KnownCopy:
    return KnownCopy(here, version, saved, latest, access, NOW - timedelta(hours=hours))


def test_the_words_of_the_badges() -> None:
    assert [TWINS[state] for state in TwinState] == [
        "Same",
        "Changed here",
        "Newer in iManage",
        "Changed on both sides",
        "Lost",
        "No access",
        "Not checked",
    ]


TABLE = [
    # held, base, latest: the current version's place there, and iManage's latest
    ((3, 3, 3), {VISIBLE: (S.SAME, S.NOT_CHECKED), FORBIDDEN: (S.NO_ACCESS,) * 2, GONE: (S.LOST,) * 2}),
    ((3, 3, 4), {VISIBLE: (S.NEWER, S.NEWER), FORBIDDEN: (S.NO_ACCESS,) * 2, GONE: (S.LOST,) * 2}),
    ((4, 4, 3), {VISIBLE: (S.LOST, S.LOST), FORBIDDEN: (S.LOST,) * 2, GONE: (S.LOST,) * 2}),
    (
        (None, 3, 3),
        {VISIBLE: (S.CHANGED_HERE,) * 2, FORBIDDEN: (S.NO_ACCESS,) * 2, GONE: (S.LOST,) * 2},
    ),
    ((None, 3, 4), {VISIBLE: (S.BOTH, S.BOTH), FORBIDDEN: (S.NO_ACCESS,) * 2, GONE: (S.LOST,) * 2}),
    ((None, 0, 3), {VISIBLE: (S.BOTH, S.BOTH), FORBIDDEN: (S.NO_ACCESS,) * 2, GONE: (S.LOST,) * 2}),
]


@pytest.mark.parametrize(("numbers", "states"), TABLE)
@pytest.mark.parametrize("access", [VISIBLE, FORBIDDEN, GONE])
@pytest.mark.parametrize("is_recent", [True, False])
def test_the_state_of_every_combination(
    numbers: tuple[int | None, int, int], states: dict[str, tuple[S, S]], access: str, is_recent: bool
) -> None:
    held, base, latest = numbers
    facts = TwinFacts(here=2, latest=latest, held=held, base=base, access=access, is_recent=is_recent)
    assert facts.state is states[access][not is_recent]


def test_what_was_saved_from_a_later_version_here_is_newer_and_no_change_on_both_sides() -> None:
    facts = TwinFacts(here=1, latest=4, base=3, latest_here=2, came_after=True)
    assert facts.state is S.NEWER
    assert sentence(facts) == (
        "iManage has version 4 (version 2 here). Version 1 here, the current one, is not there."
    )


@pytest.mark.parametrize(
    ("held", "base", "latest", "came_after", "access", "is_recent"),
    list(
        product(
            (None, 2, 3, 4), (0, 2, 3), (2, 3, 4), (False, True), (VISIBLE, FORBIDDEN, GONE), (True, False)
        )
    ),
)
def test_no_sentence_says_what_is_not_known(
    held: int | None, base: int, latest: int, came_after: bool, access: str, is_recent: bool
) -> None:
    """Same is said of the latest there, asked a short while ago, with our bytes; what was refused is never in order."""
    facts = TwinFacts(
        2, latest, held, base, 3 if came_after else None, came_after, access=access, is_recent=is_recent
    )
    said = sentence(facts, "London DMS")
    assert said.endswith(".") and "iManage" not in said and "London DMS" in said
    if facts.state is S.SAME:
        assert (held, access, is_recent) == (latest, VISIBLE, True)
    if facts.state in {S.CHANGED_HERE, S.BOTH}:
        assert held is None and "is not in London DMS" in said
    if facts.state is S.NEWER:
        assert access == VISIBLE and (held or 0) < latest and f"version {latest}" in said
    if access != VISIBLE:
        assert facts.state in {S.LOST, S.NO_ACCESS}


def test_an_older_version_made_current_is_seen_by_its_own_link() -> None:
    links = [known(OLD, 3, 4), known(NEW, 4, 4)]
    assert facts_of(NEW, links, NOW).state is S.SAME
    back = facts_of(OLD, links, NOW)
    assert (back.held, back.state, back.latest_here) == (3, S.NEWER, 2)
    assert not back.has_nothing_to_save
    assert sentence(back) == (
        "iManage has version 4 (version 2 here). Version 1 here, the current one, is version 3 there."
    )


def test_changed_here_and_then_also_there() -> None:
    assert facts_of(EDITED, [known(OLD, 3, 3), known(NEW, 4, 4)], NOW).state is S.CHANGED_HERE
    assert facts_of(EDITED, [known(OLD, 3, 5), known(NEW, 4, 5)], NOW).state is S.BOTH


def test_the_same_bytes_uploaded_again_are_no_change() -> None:
    again = Copy(5, OLD.sha256)
    assert facts_of(again, [known(OLD, 3, 3)], NOW).state is S.SAME


def test_what_was_replaced_in_place_is_no_longer_what_it_was() -> None:
    links = [known(OLD, 3, 3), known(NEW, 3, 3, saved=True)]
    assert facts_of(NEW, links, NOW).state is S.SAME
    assert facts_of(OLD, links, NOW).state is S.NEWER


def test_a_newer_one_that_was_only_added_to_the_history_is_still_newer() -> None:
    fetched = Copy(2, "b")
    assert facts_of(OLD, [known(OLD, 3, 4), known(fetched, 4, 4)], NOW).state is S.NEWER
    edited = Copy(2, "x")
    assert facts_of(edited, [known(OLD, 3, 5), known(Copy(3, "y"), 5, 5)], NOW).state is S.BOTH


def test_the_last_word_of_imanage_about_access_counts() -> None:
    assert facts_of(OLD, [known(OLD, 3, 3, access=GONE)], NOW).state is S.LOST
    assert facts_of(OLD, [known(OLD, 3, 3, access=FORBIDDEN)], NOW).state is S.NO_ACCESS
    links = [known(OLD, 3, 3, access=GONE, hours=5), known(NEW, 4, 4, hours=1)]
    assert facts_of(NEW, links, NOW).state is S.SAME


def test_same_is_not_said_for_ever() -> None:
    assert facts_of(OLD, [known(OLD, 3, 3, hours=24)], NOW).state is S.SAME
    assert facts_of(OLD, [known(OLD, 3, 3, hours=25)], NOW).state is S.NOT_CHECKED
    assert facts_of(OLD, [known(OLD, 3, 4, hours=25)], NOW).state is S.NEWER


def test_what_is_seen_in_imanage_now_replaces_what_was_known() -> None:
    facts = facts_of(OLD, [known(OLD, 3, 3, access=GONE, hours=99)], NOW)
    assert facts.as_seen(3).state is S.SAME
    assert facts.as_seen(4).state is S.NEWER
    edited = facts_of(EDITED, [known(OLD, 3, 3)], NOW)
    assert (edited.as_seen(3).state, edited.as_seen(4).state) == (S.CHANGED_HERE, S.BOTH)
