"""The words of a code fill their braces, and a variant of a code without words of its own has the code's."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from services.core.errors import ConflictError, NotFoundError, RefusedError
from services.guidance.advice import Advice
from services.guidance.refusals import refusal, worded
from services.guidance.tables import TABLES

ALL = [(code, advice) for table in TABLES.values() for code, advice in table.items()]
PUT_IN = re.compile(r"\{\w+\}")


def test_a_refusal_has_the_words_of_its_code() -> None:
    refused = refusal(ConflictError, "participant.there", name="Bram")
    assert isinstance(refused, ConflictError)
    assert (refused.code, refused.sentence) == ("participant.there", "Bram is already in this matter.")
    assert refusal(RefusedError, "host.unknown", url="https://a.test").next_step.startswith(
        "Open https://a.test."
    )


def test_a_title_of_its_own_comes_before_that_of_the_kind() -> None:
    assert refusal(RefusedError, "method").title == "This is not possible here"
    assert refusal(NotFoundError, "server.gone").title == NotFoundError.title


def test_a_variant_keeps_the_code() -> None:
    here = refusal(RefusedError, "scan.away", "upload")
    assert here.code == "scan.away" and here.text.endswith("If it happens again, tell your System Admin.")
    assert worded("storage.missing", "upload") == worded("storage.missing")


def test_a_value_is_no_template() -> None:
    assert worded("transfer.stopped", reason="{0} {name}")["sentence"] == "{0} {name}"


def test_a_code_without_words_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        worded("nothing.of_the_kind")


@pytest.mark.parametrize(("code", "advice"), ALL)
def test_every_sentence_is_one(code: str, advice: Advice) -> None:
    for text in filter(None, (advice.sentence, advice.next_step, advice.cause)):
        assert PUT_IN.fullmatch(text) or text.endswith((".", "doctor"))
        assert all(field is None or field for _, field, _, _ in Formatter().parse(text))
    assert not advice.title.endswith(".") and not advice.brief.endswith(".")
