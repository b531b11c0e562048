"""Every error of the iManage client has words for the person: what happened, what to do, whose step it is."""

from __future__ import annotations

import inspect

import pytest

from imanage import errors, guard
from imanage.errors import ImanageError
from services.remote_errors import ADVICE, remote_refusal

KINDS = [
    kind
    for module in (errors, guard)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, ImanageError) and kind is not ImanageError
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_words(kind: type[ImanageError]) -> None:
    assert kind.code in ADVICE


@pytest.mark.parametrize("code", ADVICE)
def test_every_sentence_names_the_server_and_ends(code: str) -> None:
    said = remote_refusal(ImanageError(code=code, wait_seconds=4.2), "London")
    assert said.code == code
    assert "{" not in said.sentence + said.next_step
    assert said.sentence.endswith(".") and said.next_step.endswith(".")
    assert "London" in said.sentence or code == "imanage.stopped"


def test_a_finer_code_takes_the_words_of_the_coarser() -> None:
    said = remote_refusal(ImanageError(code="imanage.blocked.port"), "London")
    assert said.sentence == "This installation does not allow connections to the address of London."


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
    said = remote_refusal(errors.Throttled(wait_seconds=seconds), "London")
    assert said.sentence == f"London is busy and asked us to wait {words}."


def test_what_imanage_says_of_fields_is_passed_on_within_bounds() -> None:
    fields = {"custom1": "Client is required", **{f"custom{number}": "x" * 300 for number in range(2, 30)}}
    sentence = remote_refusal(errors.Rejected(fields=fields), "London").sentence
    assert "custom1: Client is required" in sentence
    assert len(sentence) < 400


def test_names_with_braces_are_only_names() -> None:
    assert "{wait}" in remote_refusal(errors.Unreachable(), "{wait}").sentence
