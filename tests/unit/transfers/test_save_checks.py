"""Checks before a save: every fact has its concern and its choice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.core.text.imanage_names import name_problem, nearest, type_problem
from services.transfers.save_checks import Holder, Ours, as_new_document, onto_twin
from services.transfers.twin_states import FORBIDDEN, GONE, TwinFacts

SINCE = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
CHANGED = TwinFacts(here=2, latest=3, base=3, had=3)
MOVED = TwinFacts(here=2, latest=5, base=3, had=3)
THERE = TwinFacts(here=2, latest=3, held=3, base=3, had=3)
BEHIND = TwinFacts(here=1, latest=5, held=3, base=3, had=3)
DOCX = Ours("Lease.docx", "docx", 12)
CAROL = Holder("Carol Clark", SINCE)

TABLE = [
    # target, ours, facts, type there, holder: codes, and the values that accept a concern
    ("new_version", DOCX, CHANGED, "docx", None, [], []),
    ("replace", DOCX, CHANGED, "DOCX", None, [], []),
    ("new_version", DOCX, MOVED, "docx", None, ["moved_on"], ["moved_on-5"]),
    ("replace", DOCX, MOVED, "docx", None, ["moved_on"], []),
    ("new_version", DOCX, THERE, "docx", None, ["there_already"], []),
    ("replace", DOCX, THERE, "docx", None, ["there_already"], []),
    ("new_version", DOCX, BEHIND, "docx", None, ["there_already"], []),
    ("new_version", DOCX, CHANGED, "xlsx", None, ["other_type"], ["other_type"]),
    ("replace", DOCX, CHANGED, "xlsx", None, ["other_type"], ["other_type"]),
    ("new_version", Ours("README", "", 12), CHANGED, "docx", None, [], []),
    ("new_version", DOCX, CHANGED, "docx", CAROL, ["checked_out"], []),
    ("new_version", DOCX, MOVED, "xlsx", CAROL, ["moved_on", "checked_out", "other_type"],
     ["moved_on-5", "other_type"]),
    ("new_version", Ours("Empty.docx", "docx", 0), CHANGED, "docx", None, ["empty"], []),
    ("new_version", DOCX, TwinFacts(here=2, latest=3, had=3, access=GONE), "docx", CAROL, ["lost"], []),
    ("replace", DOCX, TwinFacts(here=2, latest=3, had=3, access=FORBIDDEN), "docx", None, ["no_access"], []),
]  # fmt: skip


@pytest.mark.parametrize(("target", "ours", "facts", "there", "holder", "codes", "accepts"), TABLE)
def test_each_fact_has_its_concern(
    target: str,
    ours: Ours,
    facts: TwinFacts,
    there: str,
    holder: Holder | None,
    codes: list[str],
    accepts: list[str],
) -> None:
    concerns = onto_twin(target, ours, facts, there, holder, "Work London", "Active!7.5")
    assert [each.code for each in concerns] == codes
    assert [each.accept for each in concerns if each.accept] == accepts
    for each in concerns:
        assert each.title and each.sentence and each.brief
        assert bool(each.accept) == bool(each.label)
    said = " ".join(f"{each.title} {each.sentence}" for each in concerns)
    assert ("Carol Clark" in said) == ("checked_out" in codes)


@pytest.mark.parametrize(
    ("ours", "stem", "extension", "problems"),
    [
        (DOCX, "Lease", "", {}),
        (DOCX, "Side letter (2) – final", "", {}),
        (DOCX, "a/b:c*?", "", {"name": "iManage does not accept / : * ? in a name."}),
        (DOCX, "  .", "", {"name": "Enter a name."}),
        (Ours("README", "", 12), "README", "", {"extension": "iManage needs a file type"}),
        (Ours("README", "", 12), "README", "txt", {}),
        (Ours("README", "", 12), "README", "t/x", {"extension": "only letters and digits"}),
        (Ours("Empty.docx", "docx", 0), "Empty", "", {"target": "0 bytes"}),
        (
            Ours("README", "", 0),
            "a|b",
            "",
            {"target": "0 bytes", "name": "iManage does not accept |", "extension": "needs a file type"},
        ),
    ],
)
def test_what_cannot_become_a_new_document(
    ours: Ours, stem: str, extension: str, problems: dict[str, str]
) -> None:
    found = as_new_document(ours, stem, extension)
    assert set(found) == set(problems)
    for field, words in problems.items():
        assert words in found[field]


@pytest.mark.parametrize("stem", ["a/b:c*?", "tab\there", "<b>", "x" * 300, "NUL", "trailing."])
def test_the_nearest_name_is_one_that_is_taken(stem: str) -> None:
    assert not name_problem(nearest(stem)) and nearest(stem)


def test_types_are_letters_and_digits() -> None:
    assert not type_problem("docx") and not type_problem("7z")
    assert type_problem("") and type_problem("d ocx") and type_problem("x" * 21) and type_problem("döc")
