"""The words of the checks, the spellings of a redirect URL, and what a report comes to. Nothing is asked here."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from typing import get_args
from uuid import uuid4

import pytest

from services.core.errors import Owner
from services.diagnostics.redirect_variants import variants
from services.diagnostics.report import Outcome, Report, Result
from services.guidance.tables import CHECK_ADVICE
from tests.architecture.sources import files, text_of

CODE = re.compile(
    r"(dns|tcp|tls|ca|line|address|proxy|api|throttled|clock|sign_in_page|client|redirect|token|secret|header|api_url"
    r"|refresh)\.[a-z_]+"
)
OURS = "https://work.firm.com/auth/v0/oauth2/authorized"
HOSTS = ("https://work.firm.com", "https://api.firm.com")


def codes_used() -> set[str]:
    """Every code that the checks can come to, as it stands in their source."""
    names = [name for name in files(".py", below="services/diagnostics/") if not name.endswith("advice.py")]
    return {
        node.value
        for name in [*names, "imanage/probes.py"]
        for node in ast.walk(ast.parse(text_of(name)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def test_every_code_has_its_words_and_no_words_are_without_a_code() -> None:
    assert codes_used() == set(CHECK_ADVICE)
    assert len(CHECK_ADVICE) > 50


@pytest.mark.parametrize("code", sorted(CHECK_ADVICE))
def test_the_words_are_whole_sentences_and_name_whose_step_it_is(code: str) -> None:
    advice = CHECK_ADVICE[code]
    assert advice.owner in get_args(Owner)
    for text in (advice.sentence, advice.cause, advice.next_step):
        assert re.match(r"“?(iManage|[A-Z])", text) and text.endswith(".") and "  " not in text
        assert not re.search(r"[{}]|\bplease\b|\berror occurred\b", text, re.IGNORECASE)
        assert len(text) < 300


def test_every_near_spelling_is_another_url_and_is_named_for_what_differs() -> None:
    found = list(variants(OURS, HOSTS))
    urls = [url for _, url in found]
    assert OURS not in urls and len(urls) == len(set(urls))
    assert len(found) < 60
    for code, url in found:
        assert code in CHECK_ADVICE
        if code == "redirect.letter_case":
            assert url.casefold() == OURS.casefold()
        if code == "redirect.spaces":
            assert url.replace("%20", " ").strip() == OURS
        if code == "redirect.path":
            assert url.startswith("https://work.firm.com") and url.split("/", 3)[3:] != OURS.split("/", 3)[3:]
        if code == "redirect.host":
            assert url.endswith("/auth/v0/oauth2/authorized")


def test_all_six_kinds_of_mistake_are_tried() -> None:
    named = {code for code, _ in variants(OURS, HOSTS)}
    assert named == {
        f"redirect.{kind}" for kind in ("letter_case", "scheme", "trailing_slash", "spaces", "host", "path")
    }
    assert ("redirect.host", "https://api.firm.com/auth/v0/oauth2/authorized") in variants(OURS, HOSTS)
    assert ("redirect.scheme", "http://work.firm.com/auth/v0/oauth2/authorized") in variants(OURS, HOSTS)


def report(*outcomes: Outcome) -> Report:
    results = tuple(
        Result(str(number), "Network", "A check", outcome, 0.1) for number, outcome in enumerate(outcomes)
    )
    return Report(uuid4(), datetime.now(UTC), None, results)


@pytest.mark.parametrize(
    ("outcomes", "state", "first"),
    [
        (("pass", "pass"), "healthy", None),
        (("pass", "skipped"), "healthy", None),
        (("warn", "pass"), "warning", "0"),
        (("warn", "fail", "skipped", "fail"), "failing", "1"),
        ((), "healthy", None),
    ],
)
def test_what_the_results_come_to(outcomes: tuple[Outcome, ...], state: str, first: str | None) -> None:
    made = report(*outcomes)
    assert made.state == state
    assert (made.first_problem.key if made.first_problem else None) == first
