"""Small documents made for tests: Word files part by part, and PDFs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RELATIONSHIPS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def word(
    *paragraphs: str, body: str = "", xml: str = "", parts: Mapping[str, str | bytes] | None = None
) -> bytes:
    """A .docx of these paragraphs, or of a body or a document as XML; `parts` are further files of the archive."""
    inside = body or "".join(map(paragraph, paragraphs))
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("_rels/.rels", RELATIONSHIPS)
        whole = xml or f"<w:document {W}><w:body>{inside}</w:body></w:document>"
        package.writestr("word/document.xml", whole)
        for name, content in (parts or {}).items():
            package.writestr(name, content)
    return output.getvalue()


def pdf(*pages: Sequence[str], encrypt: str | None = None) -> bytes:
    """A PDF with these lines on its pages."""
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=A4, encrypt=encrypt)
    for lines in pages:
        for index, line in enumerate(lines):
            canvas.drawString(72, 760 - 16 * index, line)
        canvas.showPage()
    canvas.save()
    return output.getvalue()


def scan() -> bytes:
    """A PDF of a picture, without text."""
    output = io.BytesIO()
    Image.new("L", (300, 400), "white").save(output, "PDF")
    return output.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **more: Any) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", size, "teal").save(output, kind, **more)
    return output.getvalue()
