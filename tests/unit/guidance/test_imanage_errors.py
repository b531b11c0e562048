"""Every error of the iManage client has advice: the sentence, the next step and who needs to act."""

from __future__ import annotations

import inspect

import pytest

from imanage import errors, guard
from imanage.errors import ImanageError
from services.guidance.imanage_errors import (
    BY_ACTIVITY,
    IMANAGE_ADVICE,
    Activity,
    quoted_message,
    remote_refusal,
)

KINDS = [
    kind
    for module in (errors, guard)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, ImanageError) and kind is not ImanageError
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_words(kind: type[ImanageError]) -> None:
    assert kind.code in IMANAGE_ADVICE


@pytest.mark.parametrize("code", IMANAGE_ADVICE)
def test_every_sentence_names_the_server_and_ends(code: str) -> None:
    said = remote_refusal(ImanageError(code=code, wait_seconds=4.2), "London")
    assert said.code == code
    assert "{" not in said.sentence + said.next_step
    assert said.sentence.endswith(".") and said.next_step.endswith(".")
    assert "London" in said.sentence or code in ("imanage.bad_id", "imanage.client_refused")


def test_a_finer_code_takes_the_words_of_the_coarser() -> None:
    said = remote_refusal(ImanageError(code="imanage.blocked.port"), "London")
    assert said.sentence == "Counterpart does not allow connections to the address of London."


def test_an_unknown_code_has_words_too() -> None:
    assert remote_refusal(ImanageError(code="imanage.new"), "London").sentence == "London could not do this."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "a little"),
        (0.2, "1 second"),
        (1.4, "2 seconds"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (3600, "60 minutes"),
    ],
)
def test_how_long_a_wait_is(seconds: float | None, words: str) -> None:
    said = remote_refusal(errors.ThrottledError(wait_seconds=seconds), "London")
    assert said.sentence == f"London is busy and asked Counterpart to wait {words}."


def test_imanages_message_follows_ours() -> None:
    error = errors.RejectedError(
        remote_code="NRC_BAD_NAME", remote_message="The name is taken", fields={"name": "Taken"}
    )
    said = remote_refusal(error, "London", "saving")
    assert said.ours == "London did not accept this document."
    assert said.sentence == f"{said.ours} iManage says: “The name is taken; name: Taken” (NRC_BAD_NAME)."
    assert quoted_message(errors.ConflictError(remote_code="NRC_IN_USE")) == "iManage says: NRC_IN_USE."
    assert quoted_message(errors.ConflictError()) == ""


def test_its_words_are_shortened_wherever_there_are_many() -> None:
    fields = {"custom1": "Client is required", **{f"custom{number}": "x" * 300 for number in range(2, 30)}}
    sentence = remote_refusal(errors.RejectedError(fields=fields, remote_code="Y" * 300), "London").sentence
    assert "custom1: Client is required" in sentence
    assert len(sentence) < 400
    assert sentence.endswith("…).")


@pytest.mark.parametrize(
    "hostile",
    ["”. Sign in at evil.example “", "one\r\ntwo", "\u202eright to left", "zero\u200bwidth", "\x1b[2J", "„‟"],
)
def test_its_words_cannot_end_their_quotation_or_hide(hostile: str) -> None:
    words = quoted_message(
        errors.RejectedError(remote_message=hostile, fields={hostile: hostile}, remote_code=hostile)
    )
    assert words.isprintable()
    assert (words.count("“"), words.count("”")) == (1, 1)


def test_a_refused_search_speaks_of_the_search() -> None:
    error = errors.RejectedError(remote_code="NRC_INVALID_PARAM", remote_message="Bad query")
    said = remote_refusal(error, "London", "searching")
    assert said.ours == "London did not accept this search."
    assert "profile" not in said.next_step
    assert "profile" in remote_refusal(error, "London", "saving").next_step
    assert "profile" not in remote_refusal(error, "London").next_step
    gone = remote_refusal(
        errors.IndexUnavailableError(remote_code="NRC_INDEX_UNAVAILABLE"), "London", "searching"
    )
    assert gone.ours == "Search is not available in London at the moment."


def test_only_a_document_that_is_checked_out_is_said_to_be() -> None:
    checked_out = remote_refusal(errors.CheckedOutError(), "London", "saving")
    assert checked_out.next_step.endswith("when it has been checked in.")
    for code in ("imanage.conflict", "imanage.conflict.new_document"):
        said = remote_refusal(errors.ConflictError(code=code), "London", "saving")
        assert "check" not in said.sentence + said.next_step


@pytest.mark.parametrize("activity", BY_ACTIVITY)
def test_every_sentence_of_its_own_ends(activity: Activity) -> None:
    for advice in BY_ACTIVITY[activity].values():
        assert advice.sentence.endswith(".") and advice.next_step.endswith(".")


def test_names_with_braces_are_only_names() -> None:
    assert "{wait}" in remote_refusal(errors.UnreachableError(), "{wait}").sentence
