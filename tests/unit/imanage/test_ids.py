"""Ids become paths, and only paths below their own library."""

from __future__ import annotations

import pytest

from imanage.errors import BadId
from imanage.ids import DocumentId, in_library, library_of, of_object, segment

HOSTILE = [
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "a?b",
    "a#b",
    "a%2fb",
    "..!1",
    "Active!1/../2",
    "Active!1..2",
    "Active!1\r\nX-Evil: 1",
    "Active!1\x00",
    "Active !1",
    "Active!1\u2028",
    "Active\u200b!1",
    "x" * 201,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_segments_are_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(BadId):
        segment(text)
    with pytest.raises(BadId):
        of_object("documents", text)
    with pytest.raises(BadId):
        DocumentId.parse(text)


def test_a_bad_id_is_shown_harmlessly() -> None:
    with pytest.raises(BadId) as caught:
        segment("Active!1\r\n\u202e<b>" + "x" * 500)
    assert caught.value.sentence.isprintable()
    assert len(caught.value.sentence) < 200


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Active!104512.3", ("Active", 104512, 3)),
        ("ACTIVE_US-2!7", ("ACTIVE_US-2", 7, None)),
        ("Database2!1678.1", ("Database2", 1678, 1)),
    ],
)
def test_reads_and_writes_document_ids(text: str, parts: tuple[str, int, int | None]) -> None:
    parsed = DocumentId.parse(text)
    assert (parsed.library, parsed.number, parsed.version) == parts
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text", ["Active", "Active!", "!1", "Active!x", "Active!1.", "Active!1.2.3", "A!B!1", "Active!-1"]
)
def test_what_is_no_document_id(text: str) -> None:
    with pytest.raises(BadId):
        DocumentId.parse(text)


def test_paths_name_the_library_of_the_id() -> None:
    assert of_object("folders", "Active!427", "children") == "libraries/Active/folders/Active!427/children"
    assert in_library("Ä b"[:1], "documents") == "libraries/%C3%84/documents"
    assert library_of("ACTIVE_US!4") == "ACTIVE_US"
    for text in ("Active", "!4", "Active!"):
        with pytest.raises(BadId):
            library_of(text)
