"""What every template keeps to: nothing inline, a token in every form that writes, fragments known by their name."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import files, text_of

TEMPLATES = files(".html", below="templates/")
PAGES = [name for name in TEMPLATES if not name.startswith("templates/components/")]
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
TAG = re.compile(r"<[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL)
TOKEN = re.compile(r"csrf_token\(\)|ui\.csrf\(\)|forms\.csrf\(\)|\.hidden_tag\(\)|\.csrf_token\b")
WRITES = re.compile(r"\bhx-(post|put|patch|delete)=")


def source(name: str) -> str:
    return COMMENT.sub("", text_of(name))


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_inline(name: str) -> None:
    """The Content Security Policy would refuse it, and only the person would notice."""
    text = source(name)
    assert not re.search(r"<style\b|\bstyle\s*=\s*[\"']", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"javascript:|\bhx-on\b|\bhx-vals=[\"']js:", text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_writes_carries_its_token(name: str) -> None:
    for form in FORM.findall(source(name)):
        head = form[: form.index(">")]
        if re.search(r'method="post"', head) or WRITES.search(head):
            assert TOKEN.search(form), head


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_writes_outside_a_form_is_a_control_that_says_where_to(name: str) -> None:
    """Its token is the page's own, which our script adds to every request of htmx."""
    outside = FORM.sub("", source(name))
    for tag in TAG.findall(outside):
        if WRITES.search(tag):
            assert (re.match(r"<(button|input|select|a)\b", tag) and "hx-target=" in tag) or "hx-swap=" in tag


def test_our_script_gives_every_request_of_htmx_the_pages_token() -> None:
    assert 'name="csrf-token"' in text_of("templates/_head.html")
    assert "csrf-token" in text_of("static/js/requests.js")
    assert "X-CSRFToken" in text_of("static/js/requests.js")


@pytest.mark.parametrize("name", PAGES)
def test_a_fragment_is_known_by_its_name(name: str) -> None:
    """A page extends a frame; whatever does not is a fragment and begins with an underscore."""
    is_frame = name in {"templates/base.html", "templates/bare.html"}
    is_page = "{% extends" in text_of(name)
    assert is_frame or is_page != name.rsplit("/", 1)[1].startswith("_")
