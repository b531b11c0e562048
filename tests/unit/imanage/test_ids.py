"""Ids become paths, and only paths below their own library."""

from __future__ import annotations

import pytest

from imanage.errors import BadIdError
from imanage.ids import DocumentId, VersionId, library_of, library_path, object_path, segment

HOSTILE = [
    "",
    ".",
    "..",
    "a/b",
    "a%2fb",
    "a%252fb",
    "a\\..\\b",
    "a%5c..%5cb",
    "%2e%2e",
    "Active!1/../2",
    "Active!1\r\nX-Evil: 1",
    "Active!1\x00",
    "Active!1\u2028",
    "Active\u200b!1",
    "x" * 201,
]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Legal Team!427", "libraries/Legal%20Team/folders/Legal%20Team!427"),
        ("Fees & costs!1", "libraries/Fees%20%26%20costs/folders/Fees%20%26%20costs!1"),
        ("What?!1", "libraries/What%3F/folders/What%3F!1"),
        ("No#1!1", "libraries/No%231/folders/No%231!1"),
        ("100%!1", "libraries/100%25/folders/100%25!1"),
        ("A..B!1", "libraries/A..B/folders/A..B!1"),
        ("Société!1", "libraries/Soci%C3%A9t%C3%A9/folders/Soci%C3%A9t%C3%A9!1"),
    ],
)
def test_what_a_url_can_carry_is_quoted(text: str, path: str) -> None:
    assert object_path("folders", text) == path


@pytest.mark.parametrize(
    ("user", "quoted"), [("firm\\dlee", "firm%5Cdlee"), ("j smith", "j%20smith"), ("d.lee@x", "d.lee%40x")]
)
def test_a_user_of_a_domain_is_one_segment(user: str, quoted: str) -> None:
    assert segment(user) == quoted


@pytest.mark.parametrize("library", ["..", ".", "a/b", "%2e%2e"])
def test_no_id_leads_out_of_its_library(library: str) -> None:
    with pytest.raises(BadIdError):
        object_path("folders", f"{library}!1")
    with pytest.raises(BadIdError):
        VersionId.parse(f"{library}!1.1")
    with pytest.raises(BadIdError):
        library_path(library)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_segments_are_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(BadIdError):
        segment(text)
    with pytest.raises(BadIdError):
        object_path("documents", text)
    with pytest.raises(BadIdError):
        VersionId.parse(text)


def test_a_bad_id_is_shown_harmlessly() -> None:
    with pytest.raises(BadIdError) as caught:
        segment("Active!1\r\n\u202e<b>" + "x" * 500)
    assert caught.value.sentence.isprintable()
    assert len(caught.value.sentence) < 200


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Active!104512.3", ("Active", 104512, 3)),
        ("ACTIVE_US-2!7.12", ("ACTIVE_US-2", 7, 12)),
        ("Database2!1678.1", ("Database2", 1678, 1)),
    ],
)
def test_reads_and_writes_the_ids_of_versions(text: str, parts: tuple[str, int, int]) -> None:
    parsed = VersionId.parse(text)
    assert (parsed.library, parsed.number, parsed.version) == parts
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "Active",
        "Active!",
        "Active!1",
        "Active!1.0",
        "!1",
        "Active!x",
        "Active!1.",
        "Active!1.2.3",
        "A!B!1",
        "Active!-1",
    ],
)
def test_what_is_no_id_of_a_version(text: str) -> None:
    with pytest.raises(BadIdError):
        VersionId.parse(text)


def test_a_version_that_is_told_beside_the_id_goes_before_its_own() -> None:
    assert VersionId.parse("Active!1", 3) == VersionId.parse("Active!1.2", 3) == VersionId("Active", 1, 3)


def test_one_version_is_the_same_however_its_library_is_spelt_and_is_never_its_document() -> None:
    upper, lower = VersionId.parse("ACTIVE!7.2"), VersionId.parse("active!7.2")
    assert upper == lower
    assert {upper} == {lower}
    assert upper.document == lower.document == DocumentId("Active", 7)
    assert upper.document.at(2) == lower
    assert upper != VersionId("Active", 7, 3)
    assert upper != upper.document
    assert str(upper) == "ACTIVE!7.2"


def test_paths_name_the_library_of_the_id() -> None:
    assert object_path("folders", "Active!427", "children") == "libraries/Active/folders/Active!427/children"
    assert library_path("Ä b"[:1], "documents") == "libraries/%C3%84/documents"
    assert library_of("ACTIVE_US!4") == "ACTIVE_US"
    for text in ("Active", "!4", "Active!"):
        with pytest.raises(BadIdError):
            library_of(text)
