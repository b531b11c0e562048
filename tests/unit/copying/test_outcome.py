"""What became of a send whose answer was lost: found, absent, or asked; never guessed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from copying.outcome import CHECK_AGAIN, QUIET, SKEW, lacks_comment, resolve, sent_before
from copying.values import (
    Absent,
    Found,
    Intent,
    Known,
    NewDocument,
    NewVersion,
    Present,
    Replace,
    Resolution,
    Undecided,
)
from imanage.ids import VersionId

BEGAN = datetime(2026, 11, 23, 23, 50, tzinfo=UTC)
BEFORE = BEGAN - timedelta(days=1)
OURS, OTHER = "a" * 64, "b" * 64

VERSION = Intent(
    target=NewVersion(VersionId("Active", 7, 2)),
    name="Deed",
    extension="docx",
    size=1_000,
    sha256=OURS,
    operator="ALICE",
    announced_at=BEGAN,
    baseline=(Known(VersionId("Active", 7, 1), OTHER), Known(VersionId("Active", 7, 2), OURS)),
    mark="cp-91f",
)
DOCUMENT = replace(
    VERSION, target=NewDocument("Active!55"), baseline=(Known(VersionId("Active", 3, 1), OURS),)
)
REPLACE = replace(
    VERSION, target=Replace(VersionId("Active", 7, 2)), baseline=(Known(VersionId("Active", 7, 2), OTHER),)
)

NEW = Present(
    id=VersionId("Active", 7, 3),
    name="Deed",
    extension="docx",
    size=1_000,
    sha256=OURS,
    operator="alice",
    created_at=BEGAN - timedelta(days=9),
    edited_at=BEGAN + timedelta(seconds=40),
)
NEW_DOCUMENT = replace(NEW, id=VersionId("Active", 8, 1), created_at=BEGAN + timedelta(seconds=40))
OLD = (replace(NEW, id=VersionId("Active", 7, 1), sha256=OTHER), replace(NEW, id=VersionId("Active", 7, 2)))


def after(
    intent: Intent,
    *present: Present,
    later: timedelta = timedelta(hours=1),
    claimed: tuple[VersionId, ...] = (),
) -> Resolution:
    return resolve(intent, present, now=BEGAN + later, last_sent_at=BEGAN, claimed=claimed)


def test_the_new_version_with_our_bytes_is_ours() -> None:
    outcome = after(VERSION, *OLD, NEW)
    assert isinstance(outcome, Found)
    assert outcome.present == NEW
    assert outcome.because == "Active!7.3 has the same checksum, and it was not there before."


def test_the_new_document_with_our_bytes_is_ours() -> None:
    outcome = after(DOCUMENT, replace(NEW_DOCUMENT, id=VersionId("Active", 3, 1)), NEW_DOCUMENT)
    assert isinstance(outcome, Found)
    assert outcome.present == NEW_DOCUMENT


@pytest.mark.parametrize("intent", [VERSION, DOCUMENT])
@pytest.mark.parametrize(
    "present",
    [
        (),
        OLD,
        (*OLD, replace(NEW, sha256=OTHER, operator="CAROL")),
        (*OLD, replace(NEW, sha256=None, size=999, operator="CAROL")),
        (*OLD, replace(NEW, sha256=OTHER, created_at=BEFORE, edited_at=BEFORE)),
    ],
    ids=["nothing", "what was there", "other bytes", "another size", "of before"],
)
def test_nothing_that_could_be_ours_is_absent(intent: Intent, present: tuple[Present, ...]) -> None:
    known = tuple(Known(each.id, each.sha256) for each in OLD)
    outcome = after(replace(intent, baseline=known), *present)
    assert isinstance(outcome, Absent)
    assert outcome.because.endswith("this save did not arrive.")


@pytest.mark.parametrize(
    ("intent", "altered"),
    [
        (VERSION, replace(NEW, sha256=OTHER, size=1_040)),
        (VERSION, replace(NEW, sha256=None, size=1_040, operator=None)),
        (DOCUMENT, replace(NEW_DOCUMENT, sha256=OTHER, name="deed", extension="DOCX")),
    ],
)
def test_what_came_as_ours_would_with_other_bytes_is_asked_about(intent: Intent, altered: Present) -> None:
    """Some servers add to what they store: to send it again would double it."""
    outcome = after(intent, altered)
    assert isinstance(outcome, Undecided)
    assert (outcome.candidates, outcome.again_after) == ((altered,), None)
    assert isinstance(after(intent, altered, claimed=(altered.id,)), Absent)


@pytest.mark.parametrize(
    "change",
    [{"name": "Another"}, {"extension": "pdf"}, {"id": VersionId("Active", 8, 2)}, {"operator": "CAROL"}],
)
def test_a_new_document_that_ours_could_not_be_is_none_of_ours(change: dict[str, object]) -> None:
    assert isinstance(after(DOCUMENT, replace(NEW_DOCUMENT, sha256=OTHER, **change)), Absent)


def test_where_the_mark_tells_other_bytes_without_it_are_none_of_ours() -> None:
    intent = replace(DOCUMENT, needs_mark=True)
    altered = replace(NEW_DOCUMENT, sha256=OTHER)
    assert lacks_comment(intent, altered)
    assert isinstance(after(intent, altered), Absent)
    assert isinstance(after(intent, replace(altered, comment="cp-91f")), Undecided)


@pytest.mark.parametrize("intent", [VERSION, DOCUMENT, REPLACE])
@pytest.mark.parametrize(("later", "again"), [(0, 10), (10, 10), (25, 5)])
def test_too_soon_to_say_absent(intent: Intent, later: int, again: int) -> None:
    there = [replace(NEW, id=VersionId("Active", 7, 2), sha256=OTHER)] if intent is REPLACE else []
    outcome = after(intent, *there, later=timedelta(seconds=later))
    assert isinstance(outcome, Undecided)
    assert outcome.again_after == again
    assert isinstance(after(intent, *there, later=QUIET), Absent)


def test_a_clock_set_back_does_not_wait_for_ever() -> None:
    outcome = after(VERSION, later=timedelta(hours=-1))
    assert isinstance(outcome, Undecided)
    assert outcome.again_after == CHECK_AGAIN.total_seconds()


def test_found_needs_no_waiting() -> None:
    assert isinstance(after(VERSION, NEW, later=timedelta(seconds=1)), Found)


def test_where_nobody_knows_the_last_byte_the_announcement_counts() -> None:
    soon = resolve(VERSION, OLD, now=BEGAN + timedelta(seconds=1), last_sent_at=None)
    late = resolve(VERSION, OLD, now=BEGAN + QUIET, last_sent_at=None)
    assert isinstance(soon, Undecided)
    assert isinstance(late, Absent)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operator": "CAROL"}, "saved by CAROL"),
        ({"edited_at": BEGAN - SKEW - timedelta(seconds=1)}, "before this save began"),
    ],
)
def test_the_same_bytes_with_a_doubt_are_asked_about(change: dict[str, object], reason: str) -> None:
    doubtful = replace(NEW, **change)
    outcome = after(VERSION, doubtful)
    assert isinstance(outcome, Undecided)
    assert reason in outcome.because
    assert outcome.candidates == (doubtful,)
    assert outcome.again_after is None


@pytest.mark.parametrize(
    "change",
    [
        {"operator": None},
        {"edited_at": None},
        {"edited_at": BEGAN - SKEW},
        {"name": "Deed (1)"},
        {"extension": "DOCX"},
    ],
    ids=[
        "no operator given",
        "no date given",
        "clock a little behind",
        "renamed by the server",
        "other case",
    ],
)
def test_what_imanage_leaves_out_or_changes_is_no_doubt(change: dict[str, object]) -> None:
    assert isinstance(after(VERSION, replace(NEW, **change)), Found)


def test_a_new_document_is_at_its_first_version() -> None:
    outcome = after(DOCUMENT, replace(NEW_DOCUMENT, id=VersionId("Active", 8, 2)))
    assert isinstance(outcome, Undecided)
    assert "later version" in outcome.because


def test_two_with_our_bytes_are_asked_about() -> None:
    twins = (NEW, replace(NEW, id=VersionId("Active", 7, 4)))
    outcome = after(VERSION, *twins)
    assert isinstance(outcome, Undecided)
    assert outcome.candidates == twins


def test_one_that_agrees_wins_over_one_by_somebody_else() -> None:
    outcome = after(VERSION, NEW, replace(NEW, id=VersionId("Active", 7, 4), operator="CAROL"))
    assert isinstance(outcome, Found)
    assert outcome.present == NEW


def test_the_mark_decides_between_two() -> None:
    marked = replace(NEW, id=VersionId("Active", 7, 4), comment="Closing set. cp-91f")
    outcome = after(VERSION, NEW, marked)
    assert isinstance(outcome, Found)
    assert outcome.present == marked


def test_the_mark_stands_in_for_a_missing_checksum() -> None:
    marked = replace(NEW, sha256=None, comment="cp-91f")
    assert isinstance(after(VERSION, marked), Found)
    assert isinstance(after(VERSION, replace(marked, size=999)), Undecided)


def test_a_mark_inherited_by_other_bytes_proves_nothing_alone() -> None:
    inherited = replace(NEW, id=VersionId("Active", 7, 4), sha256=OTHER, comment="cp-91f")
    outcome = after(VERSION, replace(NEW, comment="cp-91f"), inherited)
    assert isinstance(outcome, Found)
    assert outcome.present.id == NEW.id
    assert isinstance(after(VERSION, inherited), Undecided)


def test_two_marked_alike_are_asked_about() -> None:
    twins = (replace(NEW, comment="cp-91f"), replace(NEW, id=VersionId("Active", 7, 4), comment="cp-91f"))
    assert isinstance(after(VERSION, *twins), Undecided)


BY_MARK = replace(DOCUMENT, needs_mark=True)


def test_where_only_the_mark_tells_the_same_bytes_without_it_are_asked_about() -> None:
    """They may have come between the reading of the folder and the announcement."""
    outcome = after(BY_MARK, NEW_DOCUMENT)
    assert isinstance(outcome, Undecided)
    assert outcome.because == "Active!8.1 has the same checksum, but it does not carry the mark of this save."
    assert isinstance(after(BY_MARK, replace(NEW_DOCUMENT, sha256=OTHER)), Absent)
    assert isinstance(after(BY_MARK, NEW_DOCUMENT, claimed=(VersionId("Active", 8, 1),)), Absent)
    marked = replace(NEW_DOCUMENT, id=VersionId("Active", 9, 1), comment="cp-91f")
    found = after(BY_MARK, NEW_DOCUMENT, marked)
    assert isinstance(found, Found)
    assert found.present == marked


def test_only_what_could_be_ours_is_asked_for_its_comment() -> None:
    assert lacks_comment(BY_MARK, NEW_DOCUMENT)
    assert not lacks_comment(DOCUMENT, NEW_DOCUMENT)
    assert not lacks_comment(BY_MARK, NEW_DOCUMENT, (VersionId("active", 8, 1),))
    for change in (
        {"comment": "cp-91f"},
        {"comment": "another"},
        {"sha256": OTHER, "name": "Another"},
        {"id": VersionId("Active", 3, 1)},
    ):
        assert not lacks_comment(BY_MARK, replace(NEW_DOCUMENT, **change))


def test_what_this_save_stored_before_is_known_by_its_mark_even_where_it_was_altered() -> None:
    ours = Known(VersionId("Active", 8, 1), OURS, "cp-91f")
    altered = Known(VersionId("Active", 8, 2), OTHER, "Closing cp-91f")
    other = Known(VersionId("Active", 8, 3), OURS, "cp-000")
    assert sent_before([other], "cp-91f", OURS) is None
    assert sent_before([other, altered, ours], "cp-91f", OURS) == ours
    assert sent_before([other, altered], "cp-91f", OURS) == altered
    assert sent_before([altered, altered], "cp-91f", OURS) is None


def test_a_missing_checksum_is_asked_about() -> None:
    outcome = after(VERSION, replace(NEW, sha256=None))
    assert isinstance(outcome, Undecided)
    assert "no checksum" in outcome.because
    assert isinstance(after(VERSION, replace(NEW, sha256=None, size=None)), Undecided)


def test_what_another_send_made_is_not_ours() -> None:
    twin = replace(NEW_DOCUMENT, id=VersionId("Active", 9, 1))
    assert isinstance(after(DOCUMENT, NEW_DOCUMENT, claimed=(VersionId("Active", 8, 1),)), Absent)
    outcome = after(DOCUMENT, NEW_DOCUMENT, twin, claimed=(VersionId("Active", 8, 1),))
    assert isinstance(outcome, Found)
    assert outcome.present == twin


@pytest.mark.parametrize(
    ("sha256", "kind"), [(OURS, Found), (OTHER, Absent), (None, Undecided), ("c" * 64, Absent)]
)
def test_a_replacement_shows_in_the_version_itself(sha256: str | None, kind: type[Resolution]) -> None:
    there = replace(NEW, id=VersionId("Active", 7, 2), sha256=sha256, operator="CAROL", edited_at=BEGAN)
    newer = replace(NEW, id=VersionId("Active", 7, 3))
    assert isinstance(after(REPLACE, there, newer), kind)


def test_a_replaced_version_that_is_gone_is_asked_about() -> None:
    assert isinstance(after(REPLACE, NEW), Undecided)
