"""The sample documents of the practice firm: real .docx, .xlsx and .pdf files, made by the libraries people trust."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Font
from PIL import Image
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

SCAN_PIXELS = (1700, 2200)
rl_config.useA85 = 0  # image data as plain bytes: writing them as text takes four times as long


def letter(title: str, paragraphs: Sequence[str]) -> bytes:
    """A Word document."""
    document = Document()
    document.add_heading(title, level=0)
    for number, paragraph in enumerate(paragraphs, 1):
        document.add_paragraph(f"{number}.  {paragraph}")
    document.add_paragraph("Signed in counterparts, each of which is an original.")
    return _written(document.save)


def schedule(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """An Excel workbook."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = title[:31]
    sheet.append(list(columns))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append(list(row))
    sheet.freeze_panes = "A2"
    return _written(workbook.save)


def report(title: str, lines: Sequence[str]) -> bytes:
    """A PDF of text."""
    buffer = io.BytesIO()
    page = Canvas(buffer, pagesize=A4)
    page.setTitle(title)
    page.setFont("Helvetica-Bold", 18)
    page.drawString(72, 760, title)
    page.setFont("Helvetica", 11)
    for number, line in enumerate(lines):
        page.drawString(72, 725 - number * 18, line)
    page.save()
    return buffer.getvalue()


def scans(title: str, pages: int) -> bytes:
    """A PDF as large as scanned pages are: about 11 MB a page, since noise does not compress."""
    noise = random.Random(title)
    buffer = io.BytesIO()
    document = Canvas(buffer, pagesize=A4, pageCompression=0)
    document.setTitle(title)
    for number in range(1, pages + 1):
        pixels = noise.randbytes(SCAN_PIXELS[0] * SCAN_PIXELS[1] * 3)
        document.drawImage(ImageReader(Image.frombytes("RGB", SCAN_PIXELS, pixels)), 36, 36, 523, 677)
        document.drawString(72, 790, f"{title}, page {number}")
        document.showPage()
    document.save()
    return buffer.getvalue()


def _written(save: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()
