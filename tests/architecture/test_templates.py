"""Rules for every template: nothing inline, a CSRF token in every form that writes, `_` before a fragment's name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.architecture.sources import files, text_of

TEMPLATES = files(".html", below="templates/")
PAGES = [name for name in TEMPLATES if not name.startswith("templates/components/")]
LAYOUTS = {"templates/base.html", "templates/bare.html"}
INLINE = [
    re.compile(r"<style\b|\bstyle\s*=\s*[\"']"),
    re.compile(r"<script(?![^>]*\bsrc=)[^>]*>"),
    re.compile(r"\son[a-z]+\s*=\s*[\"']"),
    re.compile(r"javascript:|\bhx-on\b|\bhx-vals=[\"']js:"),
]
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
TAG = re.compile(r"<[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL)
TOKEN = re.compile(r"csrf_token\(\)|ui\.csrf\(\)|forms\.csrf\(\)|\.hidden_tag\(\)|\.csrf_token\b")
WRITES = re.compile(r"\bhx-(post|put|patch|delete)=")


def source(name: str) -> str:
    return COMMENT.sub("", text_of(name))


def test_nothing_is_inline() -> None:
    """The Content Security Policy would block it without a word in any log of ours."""
    found = [(name, rule.search(source(name))) for name in TEMPLATES for rule in INLINE]
    assert [(name, match[0]) for name, match in found if match] == []


def test_every_form_that_writes_has_a_csrf_token() -> None:
    assert [
        (name, form[: form.index(">")])
        for name in TEMPLATES
        for form in FORM.findall(source(name))
        if _writes(form[: form.index(">")]) and not TOKEN.search(form)
    ] == []


def _writes(head: str) -> bool:
    return 'method="post"' in head or bool(WRITES.search(head))


def test_a_control_that_writes_outside_a_form_names_its_target() -> None:
    """Its token is the page's, which our script adds to every request of htmx."""
    assert [(name, tag) for name in TEMPLATES for tag in _without_a_target(name)] == []


def _without_a_target(name: str) -> Iterator[str]:
    for tag in TAG.findall(FORM.sub("", source(name))):
        is_control = re.match(r"<(button|input|select|a)\b", tag) and "hx-target=" in tag
        if WRITES.search(tag) and not is_control and "hx-swap=" not in tag:
            yield tag


def test_our_script_adds_the_csrf_token_to_every_htmx_request() -> None:
    assert 'name="csrf-token"' in text_of("templates/_head.html")
    assert "csrf-token" in text_of("static/js/requests.js")
    assert "X-CSRFToken" in text_of("static/js/requests.js")


def test_a_fragment_begins_with_an_underscore() -> None:
    """A page extends a layout; a template that does not is a fragment."""
    fragments = {name for name in PAGES if "{% extends" not in text_of(name)} - LAYOUTS
    assert {name for name in PAGES if name.rsplit("/", 1)[1].startswith("_")} == fragments
