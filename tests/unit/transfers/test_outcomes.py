"""Every summary says what happened and nothing else: over all outcomes, one document and many, in every mixture."""

from __future__ import annotations

from itertools import combinations

import pytest

from services.guidance.outcomes import STATES, label_of, summary
from services.transfers.outcomes import (
    FAILURES,
    LIVE,
    WELL,
    Outcome,
    may_retry,
    outcome_of,
    verdict,
)

GET = (
    Outcome.ADDED,
    Outcome.NEW_VERSION,
    Outcome.IN_HISTORY,
    Outcome.HERE_ALREADY,
    Outcome.FAILED,
    Outcome.CANCELLED,
    Outcome.STOPPED,
    Outcome.SIGN_IN,
    Outcome.MOVING,
    Outcome.WAITING,
)
SAVE = (
    Outcome.SAVED,
    Outcome.REPLACED,
    Outcome.THERE_ALREADY,
    Outcome.DIFFERENT,
    Outcome.UNSURE,
    Outcome.FAILED,
    Outcome.LEFT,
    Outcome.CANCELLED,
    Outcome.STOPPED,
    Outcome.DECISION,
    Outcome.SIGN_IN,
    Outcome.MOVING,
    Outcome.WAITING,
)
BY_KIND = {"get": GET, "save": SAVE}
NAME = "Lease.docx"

ONE = {
    ("get", Outcome.ADDED): "Lease.docx arrived from London.",
    ("get", Outcome.NEW_VERSION): "Lease.docx arrived from London as a new version.",
    (
        "get",
        Outcome.IN_HISTORY,
    ): "Lease.docx arrived from London as an older version. It was not made current.",
    ("get", Outcome.HERE_ALREADY): "Lease.docx is already here, so nothing was added.",
    ("get", Outcome.FAILED): "We could not get Lease.docx from London.",
    ("get", Outcome.CANCELLED): "The transfer of Lease.docx from London was cancelled.",
    ("get", Outcome.STOPPED): "The transfer of Lease.docx from London was stopped.",
    ("get", Outcome.SIGN_IN): "Lease.docx is waiting for a sign-in to London.",
    ("get", Outcome.MOVING): "Lease.docx is on its way from London.",
    ("get", Outcome.WAITING): "Lease.docx is waiting to transfer from London.",
    ("save", Outcome.SAVED): "Lease.docx was saved to London.",
    ("save", Outcome.REPLACED): "Lease.docx replaced version 4 in London.",
    ("save", Outcome.THERE_ALREADY): "Lease.docx is already in London, so nothing was saved.",
    ("save", Outcome.DIFFERENT): "The copy of Lease.docx stored in London differs from the one sent.",
    ("save", Outcome.UNSURE): "We do not know whether Lease.docx was saved to London.",
    ("save", Outcome.FAILED): "We could not save Lease.docx to London.",
    ("save", Outcome.LEFT): "Lease.docx was skipped: nothing more was sent to London.",
    ("save", Outcome.CANCELLED): "The transfer of Lease.docx to London was cancelled.",
    ("save", Outcome.STOPPED): "The transfer of Lease.docx to London was stopped.",
    ("save", Outcome.DECISION): "Lease.docx is waiting for a decision.",
    ("save", Outcome.SIGN_IN): "Lease.docx is waiting for a sign-in to London.",
    ("save", Outcome.MOVING): "Lease.docx is on its way to London.",
    ("save", Outcome.WAITING): "Lease.docx is waiting to be saved to London.",
}


def test_one_document_is_named() -> None:
    assert set(ONE) == {(kind, outcome) for kind, outcomes in BY_KIND.items() for outcome in outcomes}
    for (kind, outcome), said in ONE.items():
        assert summary(kind, "London", {outcome: 1}, NAME, replaced="4") == said
    unnamed = summary("save", "London", {Outcome.REPLACED: 1}, NAME)
    assert unnamed == "Lease.docx replaced the latest version in London."


@pytest.mark.parametrize(
    ("kind", "counts", "said"),
    [
        ("get", {Outcome.ADDED: 9}, "All 9 documents arrived from London."),
        ("get", {Outcome.ADDED: 4, Outcome.NEW_VERSION: 5}, "All 9 documents arrived from London."),
        (
            "get",
            {Outcome.ADDED: 7, Outcome.HERE_ALREADY: 2},
            "9 documents from London: 7 arrived, 2 already here.",
        ),
        ("get", {Outcome.HERE_ALREADY: 9}, "All 9 documents are already here, so nothing was added."),
        ("get", {Outcome.ADDED: 198, Outcome.FAILED: 2}, "200 documents from London: 198 arrived, 2 failed."),
        ("get", {Outcome.FAILED: 2}, "2 documents from London: 2 failed."),
        ("save", {Outcome.SAVED: 2}, "All 2 documents were saved to London."),
        ("save", {Outcome.SAVED: 1, Outcome.CANCELLED: 3}, "4 documents to London: 1 saved, 3 cancelled."),
        ("save", {Outcome.REPLACED: 2}, "All 2 documents replaced the latest versions in London."),
        (
            "save",
            {Outcome.SAVED: 1, Outcome.REPLACED: 2},
            "3 documents to London: 1 saved, 2 replaced the latest version.",
        ),
        ("save", {Outcome.THERE_ALREADY: 2}, "All 2 documents are already in London, so nothing was saved."),
        (
            "save",
            {Outcome.WAITING: 1, Outcome.MOVING: 2, Outcome.DECISION: 3, Outcome.SAVED: 4, Outcome.UNSURE: 5},
            "15 documents to London: 4 saved, 5 unknown, 3 waiting for a decision, 2 in progress, 1 waiting.",
        ),
    ],
)
def test_more_are_counted_by_what_became_of_each(kind: str, counts: dict[Outcome, int], said: str) -> None:
    assert summary(kind, "London", counts, NAME) == said


MIXTURES = [
    (kind, mixture)
    for kind, outcomes in BY_KIND.items()
    for size in (1, 2, 3)
    for mixture in combinations(outcomes, size)
]


@pytest.mark.parametrize(("kind", "mixture"), MIXTURES)
def test_no_mixture_says_what_did_not_happen(kind: str, mixture: tuple[Outcome, ...]) -> None:
    counts = {outcome: number for number, outcome in enumerate(mixture, 2)}
    said = summary(kind, "London", counts, NAME)
    assert NAME not in said and str(sum(counts.values())) in said
    if not set(mixture) & {Outcome.ADDED, Outcome.NEW_VERSION, Outcome.IN_HISTORY}:
        assert "arrived" not in said
    if Outcome.SAVED not in mixture:
        assert "saved" not in said or "nothing was saved" in said
    assert ("replaced" in said) is (Outcome.REPLACED in mixture)
    for outcome, words in (
        (Outcome.CANCELLED, "cancelled"),
        (Outcome.FAILED, "failed"),
        (Outcome.STOPPED, "stopped"),
    ):
        assert (f"{counts.get(outcome)} {words}" in said) is (outcome in mixture)
    if len(mixture) > 1 and set(mixture) != {Outcome.ADDED, Outcome.NEW_VERSION}:
        assert not said.startswith("All")


@pytest.mark.parametrize(("kind", "mixture"), MIXTURES)
def test_the_verdict_of_every_mixture_that_is_over(kind: str, mixture: tuple[Outcome, ...]) -> None:
    found = set(mixture) - LIVE
    if not found:
        return
    given = verdict(found)
    if given == "finished":
        assert found <= WELL | {Outcome.LEFT}
    if found & FAILURES:
        assert given == ("partly_failed" if found & WELL else "failed")
    elif Outcome.CANCELLED in found:
        assert given == "cancelled"


@pytest.mark.parametrize(
    ("kind", "state", "kept", "code", "sent", "outcome"),
    [
        ("get", "done", "", "", False, Outcome.ADDED),
        ("get", "done", "here_already", "", False, Outcome.HERE_ALREADY),
        ("save", "done", "", "", True, Outcome.SAVED),
        ("save", "done", "replaced", "", True, Outcome.REPLACED),
        ("save", "failed", "", "imanage.forbidden", False, Outcome.FAILED),
        ("save", "failed", "", "imanage.unreachable", True, Outcome.UNSURE),
        ("save", "stopped", "", "transfer.cancelled", True, Outcome.UNSURE),
        ("save", "stopped", "", "transfer.cancelled", False, Outcome.CANCELLED),
        ("save", "stopped", "", "transfer.left", False, Outcome.LEFT),
        ("save", "stopped", "", "member.inactive", False, Outcome.STOPPED),
        ("save", "failed", "", "transfer.stored_different", True, Outcome.DIFFERENT),
        ("save", "needs_decision", "", "transfer.moved_on", False, Outcome.DECISION),
        ("get", "needs_sign_in", "", "", False, Outcome.SIGN_IN),
        ("get", "waiting", "", "", False, Outcome.WAITING),
        ("get", "running", "", "", False, Outcome.MOVING),
        ("save", "sending", "", "", True, Outcome.MOVING),
        ("save", "resolving", "", "", True, Outcome.MOVING),
    ],
)
def test_what_became_of_a_row(
    kind: str, state: str, kept: str, code: str, sent: bool, outcome: Outcome
) -> None:
    assert outcome_of(kind, state, kept, code, may_have_arrived=sent) is outcome


def test_every_state_has_an_outcome_and_a_label() -> None:
    for kind in BY_KIND:
        for state in STATES:
            outcome = outcome_of(kind, state, "", "", may_have_arrived=False)
            assert label_of(state, outcome)
            assert outcome in BY_KIND[kind] or state == "needs_decision"
    assert label_of("stopped", Outcome.CANCELLED) == "Cancelled"
    assert label_of("done", Outcome.HERE_ALREADY) == "Already here"


@pytest.mark.parametrize(
    ("state", "code", "sent", "again"),
    [
        ("failed", "imanage.unreachable", False, True),
        ("failed", "imanage.forbidden", False, True),
        ("failed", "imanage.rejected", False, False),
        ("failed", "imanage.rejected.name", False, False),
        ("failed", "imanage.too_large", False, False),
        ("failed", "imanage.not_found", False, False),
        ("failed", "transfer.not_saved", False, False),
        ("failed", "imanage.rejected", True, True),
        ("stopped", "transfer.cancelled", False, False),
        ("stopped", "transfer.left", False, False),
        ("stopped", "transfer.left", True, False),
        ("stopped", "server.removed", False, False),
        ("done", "", False, False),
        ("waiting", "", False, False),
    ],
)
def test_trying_again_is_offered_where_it_can_change_something(
    state: str, code: str, sent: bool, again: bool
) -> None:
    assert may_retry(state, code, may_have_arrived=sent) is again
