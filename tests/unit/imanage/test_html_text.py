"""The visible text of untrusted web pages."""

from __future__ import annotations

import pytest

from imanage.html_text import MAX_LENGTH, Page, read_page


def test_title_heading_and_words_are_read_as_a_person_sees_them() -> None:
    page = read_page(
        "<!doctype html><html><head><title>\n Sign  in </title><style>b{color:red}</style></head><body><!-- no -->"
        "<H1 class='a>b'>Welcome <em>back</em></H1><script>if (a < b) {}</script><p>This content\nis blocked</p>"
    )
    assert page == Page("Sign in", "Welcome back", "Sign in Welcome back This content is blocked")


@pytest.mark.parametrize(
    "text", ["", " ", "<!--", "<!", "\0", "<title>", "<![", "\ud800", '{"data": []}', "<b>" * 5000]
)
def test_whatever_comes_is_read_without_a_fault(text: str) -> None:
    assert isinstance(read_page(text), Page)


def test_no_more_than_the_cap_is_read() -> None:
    assert "late" not in read_page("<p>early</p>" + " " * MAX_LENGTH + "<p>late</p>").words
