"""A receipt as one page of A4, with its signed JSON attached."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from unicodedata import bidirectional
from xml.sax.saxutils import escape

import pypdfium2
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Frame, KeepInFrame, Paragraph, Spacer, Table

FONT = "DejaVuSans"
MAX_ROWS = 8
MARGIN = 18 * mm
GREY = colors.HexColor("#55635d")
VERIFY = (
    "The signed receipt is the file receipt.json attached to this page. To verify it: flask receipt verify FILE, "
    "or verify_receipt.py, which needs nothing of Counterpart."
)
MOVES = {"got": "Got from", "saved": "Saved to", "linked": "Linked to"}
ACTIONS = {
    "version.downloaded": "Downloaded",
    "version.previewed": "Previewed",
    "version.compared": "Compared",
    "version.made_current": "Made current",
    "version.note_changed": "Note changed",
    "version.held": "Held for members",
    "version.released": "Released",
    "version.taken_back": "Taken back",
    "document.audience_changed": "Audience changed",
    "document.binned": "Moved to the bin",
    "document.restored": "Restored from the bin",
    "participant.added": "Added to the matter:",
    "participant.removed": "Removed from the matter:",
    "participant.until_changed": "End of access changed:",
}

pdfmetrics.registerFont(TTFont(FONT, Path(__file__).with_name("fonts") / "DejaVuSans.ttf"))
GLYPHS = pdfmetrics.getFont(FONT).face.charToGlyph


def run(files: list[IO[bytes]]) -> bytes:
    (file,) = files
    content = file.read()
    pdf = pypdfium2.PdfDocument(_page(json.loads(content)))
    pdf.new_attachment("receipt.json").set_data(content)
    output = io.BytesIO()
    pdf.save(output)
    return output.getvalue()


def _page(receipt: dict[str, Any]) -> bytes:
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=A4)
    canvas.setTitle(f"Receipt {receipt['receipt']['id']}")
    width, height = A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN
    frame = Frame(MARGIN, MARGIN, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    frame.addFromList([KeepInFrame(width, height, list(_content(receipt, width)), mode="shrink")], canvas)
    canvas.save()
    return output.getvalue()


def _content(receipt: dict[str, Any], width: float) -> Iterator[Any]:
    version, matter, about = receipt["version"], receipt["matter"], receipt["receipt"]
    yield text("Custody receipt", 16)
    yield text(
        f"Issued by {_person(about['issued_by'])} on {about['installation']}, {_moment(about['issued_at'])}",
        8,
        GREY,
    )
    yield Spacer(0, 4 * mm)
    numbers = [
        matter["client_number"] and f"client {matter['client_number']}",
        matter["matter_number"] and f"matter {matter['matter_number']}",
    ]
    came = "uploaded" if version["origin"] == "upload" else "got from iManage"
    yield _table(
        [
            ("Matter", ", ".join(filter(None, [matter["name"], *numbers]))),
            ("Document", receipt["document"]["name"]),
            ("Version", f"{version['number']}: {version['file_name']}, {version['size']:,} bytes"),
            ("SHA-256", version["sha256"]),
            ("Added", f"{_moment(version['added_at'])} by {version['added_by']}, {came}"),
            (
                "Guests",
                f"Since {_moment(version['shared_at'])}" if version["shared_at"] else "Held for members",
            ),
        ],
        width,
    )
    yield from _list(
        "In iManage", [_copy(each) for each in receipt["imanage"]], receipt["imanage_not_shown"], width
    )
    guests = [
        (each["organisation"], f"{each['name']}, in the matter since {_moment(each['in_matter_since'])}")
        for each in receipt["guests"]
    ]
    yield from _list("Guests who can see it", guests, 0, width)
    yield from _list(
        "What was done with it",
        [_event(each) for each in receipt["events"]],
        receipt["events_not_shown"],
        width,
    )
    yield Spacer(0, 6 * mm)
    yield _table(
        [
            ("Receipt", about["id"]),
            ("Key", receipt["signature"]["public_key"]),
            ("Signature", receipt["signature"]["value"]),
        ],
        width,
    )
    yield text(VERIFY, 8, GREY)


def _list(title: str, rows: list[tuple[str, str]], left_out: int, width: float) -> Iterator[Any]:
    """The newest rows; the JSON has all of them."""
    if not rows and not left_out:
        return
    yield Spacer(0, 4 * mm)
    yield text(title, 11)
    if rows:
        yield _table(rows[-MAX_ROWS:], width)
    left_out += max(0, len(rows) - MAX_ROWS)
    if left_out:
        yield text(f"{left_out} more not printed here.", 8, GREY)


def _copy(each: dict[str, Any]) -> tuple[str, str]:
    where = f"{each['server']} ({each['address']}), {each['library']} {each['number']} v{each['version']}"
    return _moment(each["at"]), f"{MOVES[each['direction']]} {where} by {_person(each['by'])}"


def _event(each: dict[str, Any]) -> tuple[str, str]:
    words = [
        ACTIONS.get(each["action"], each["action"]),
        each.get("guest"),
        each.get("audience"),
        each.get("until"),
    ]
    if guests := each.get("guests"):
        words.append(
            f"to {', '.join(guests)}" if each["action"] == "version.released" else f"from {', '.join(guests)}"
        )
    return _moment(each["at"]), f"{' '.join(filter(None, words))} by {each['by']}"


def _table(rows: list[tuple[str, str]], width: float) -> Table:
    cells = [[text(name, 8, GREY), text(value, 9)] for name, value in rows]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#dde3df")),
    ]
    return Table(cells, colWidths=[42 * mm, width - 42 * mm], style=style, hAlign="LEFT")


def text(words: str, size: float, color: Any = colors.black) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName=FONT,
        fontSize=size,
        leading=size * 1.35,
        textColor=color,
        wordWrap="CJK" if " " not in words else None,
    )
    return Paragraph(escape("".join(map(_printable, words))), style)


def _printable(character: str) -> str:
    """Characters that the font lacks, and those written from right to left, are printed as their code."""
    is_plain = ord(character) in GLYPHS and bidirectional(character) not in {
        "R",
        "AL",
        "RLE",
        "RLO",
        "LRE",
        "LRO",
    }
    return character if is_plain else f"\\u{ord(character):04x}"


def _person(person: dict[str, str]) -> str:
    return f"{person['name']} <{person['email']}>"


def _moment(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC")
