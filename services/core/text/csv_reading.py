"""Reads CSV files as spreadsheets write them: any of the usual encodings and delimiters."""

from __future__ import annotations

import codecs
import csv
import io

from services.core.errors import InvalidError
from services.core.text.csv import plain_cell

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 10_000
MAX_LINES = 100_000  # some spreadsheets write many empty ones
DELIMITERS = ",;\t"
NOT_TEXT = "This file is not CSV. Save the table as CSV and choose that file."

EMPTY = "The file is empty."


def read_table(data: bytes) -> list[tuple[int, list[str]]]:
    """The rows that are not empty, each with its line number. Raises InvalidError for the field `file`."""
    if len(data) > MAX_BYTES:
        raise InvalidError({"file": "The file is larger than 5 MB. Split it in two."})
    text = _decoded(data)
    if not text.strip():
        raise InvalidError({"file": EMPTY})
    first, _, rest = text.partition("\n")
    offset = 0
    if first.strip().lower().startswith("sep=") and rest:  # a delimiter hint that some spreadsheets write
        text, offset = rest, 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows = []
    try:
        for number, cells in enumerate(reader, start=1 + offset):
            if any(cell.strip() for cell in cells):
                rows.append((number, [plain_cell(cell) for cell in cells]))
            if len(rows) > MAX_ROWS + 1 or number > MAX_LINES:
                raise InvalidError({"file": f"The file has more than {MAX_ROWS:,} rows. Split it in two."})
    except csv.Error as error:
        sentence = (
            f"Line {reader.line_num + offset} of the file cannot be read: a quotation mark is not closed."
        )
        raise InvalidError({"file": sentence}) from error
    if not rows:
        raise InvalidError({"file": EMPTY})
    return rows


def _decoded(data: bytes) -> str:
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        raise InvalidError({"file": NOT_TEXT}) from error
    if "\0" in text:
        raise InvalidError({"file": NOT_TEXT})
    return text.removeprefix("\ufeff")


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:200]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 4:
        return "utf-16-be"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """The most frequent one in the header row."""
    heading = next(iter(text.lstrip().splitlines()), "")
    return max(DELIMITERS, key=heading.count)
