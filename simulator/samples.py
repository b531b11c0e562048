"""Small valid files generated with the standard library: .docx, .xlsx, .pdf, and text for anything else."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument"


def make(form: str, title: str, text: str = "") -> bytes:
    """A file of this form (an extension) that contains the document's name."""
    lines = [title, *text.splitlines(), "Practice document. Not a real matter."]
    match form:
        case "docx":
            return _docx(lines)
        case "xlsx":
            return _xlsx(lines)
        case "pdf":
            return _pdf(title, lines)
    return ("\r\n".join(lines) + "\r\n").encode()


def _package(main: str, content_type: str, parts: dict[str, str], extra_types: str = "") -> bytes:
    kind = f'<Override PartName="/{main}" ContentType="{_MAIN}.{content_type}.main+xml"/>'
    files = {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{kind}{extra_types}</Types>',
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>',
        **parts,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in files.items():
            package.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _docx(lines: list[str]) -> bytes:
    text = "".join(f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in lines)
    body = (
        f'{_XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body>{text}</w:body></w:document>"
    )
    return _package("word/document.xml", "wordprocessingml.document", {"word/document.xml": body})


def _xlsx(lines: list[str]) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{escape(line)}</t></is></c>'
        f'<c r="B{n}"><v>{n * 125}</v></c></row>'
        for n, line in enumerate(lines, 1)
    )
    sheet = f'{_XML}<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    book = (
        f'{_XML}<workbook xmlns="{space}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Schedule" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    links = (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    sheet_type = (
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_MAIN}.spreadsheetml.worksheet+xml"/>'
    )
    parts = {"xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": links, "xl/worksheets/sheet1.xml": sheet}
    return _package("xl/workbook.xml", "spreadsheetml.sheet", parts, sheet_type)


def _pdf_objects(title: str, lines: list[str]) -> list[bytes]:
    """One page in a standard font, with the title as Unicode in the document information."""
    shown = [line.encode("cp1252", "replace").replace(b"\\", b"\\\\") for line in lines]
    shown = [line.replace(b"(", b"\\(").replace(b")", b"\\)") for line in shown]
    text = b"BT /F1 14 Tf 72 760 Td 20 TL " + b"".join(b"(" + line + b") Tj T* " for line in shown) + b"ET"
    unicode_title = ("\ufeff" + title).encode("utf-16-be").hex().upper().encode()
    return [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title <%b> /Producer (Practice iManage) >>" % unicode_title,
    ]


def _pdf_body(objects: list[bytes]) -> tuple[bytes, list[int]]:
    body, positions = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, one in enumerate(objects, 1):
        positions.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    return body, positions


def _pdf_end(positions: list[int], at: int) -> bytes:
    table = b"".join(b"%010d 00000 n \n" % position for position in positions)
    count = len(positions) + 1
    return (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (count, table, count, at)
    )


def _pdf(title: str, lines: list[str]) -> bytes:
    body, positions = _pdf_body(_pdf_objects(title, lines))
    return body + _pdf_end(positions, len(body))


def pdf_around(title: str, size: int) -> tuple[bytes, bytes]:
    """Head and tail of a PDF of `size` bytes; between them goes the noise of an unused stream."""
    head, positions = _pdf_body(_pdf_objects(title, [title, "Practice document. Not a real matter."]))
    close = b"\nendstream\nendobj\n"
    noise = 0
    for _ in range(
        3
    ):  # the head contains the length, which changes its size: converges in two or three rounds
        start = b"7 0 obj\n<< /Length %d >>\nstream\n" % noise
        tail_at = len(head) + len(start) + noise + len(close)
        end = _pdf_end([*positions, len(head)], tail_at)
        noise += size - tail_at - len(end)
    return head + start, close + end
