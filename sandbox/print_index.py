"""A closing index as PDF, on pages of A4."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import IO, Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Spacer, Table

from sandbox.print_receipt import FONT, GREY, MARGIN, text

WIDTHS = (14 * mm, 92 * mm, A4[0] - 2 * MARGIN - 106 * mm)


def run(files: list[IO[bytes]]) -> bytes:
    (file,) = files
    index = json.loads(file.read())
    output = io.BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN)
    document = SimpleDocTemplate(output, pagesize=A4, title=f"Closing index: {index['matter']}", **margins)
    document.build(list(_content(index)), onFirstPage=_foot, onLaterPages=_foot)
    return output.getvalue()


def _content(index: dict[str, Any]) -> Iterator[Any]:
    yield text("Closing index", 16)
    numbers = [
        index["client_number"] and f"client {index['client_number']}",
        index["matter_number"] and f"matter {index['matter_number']}",
    ]
    yield text(", ".join(filter(None, [index["matter"], *numbers])), 10)
    yield text(index["printed"], 8, GREY)
    yield Spacer(0, 5 * mm)
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#dde3df")),
    ]
    cells = [[text(words, 8, GREY) for words in ("Number", "Title", "Document")]]
    for at, row in enumerate(index["rows"], start=1):
        if row["is_heading"]:
            style += [("SPAN", (1, at), (-1, at)), ("TOPPADDING", (0, at), (-1, at), 10)]
            cells.append([text(row["number"], 11), text(row["title"], 11), text("", 8)])
        else:
            cells.append([text(row["number"], 9), text(row["title"], 9), text(row["document"], 8, GREY)])
    yield Table(cells, colWidths=WIDTHS, style=style, repeatRows=1, hAlign="LEFT")


def _foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(FONT, 8)
    canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, str(document.page))
