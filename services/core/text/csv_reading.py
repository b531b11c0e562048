"""Tables that people bring as CSV: whatever their spreadsheet writes, read as the same rows."""

from __future__ import annotations

import codecs
import csv
import io

from services.core.errors import InvalidError
from services.core.text.csv import plain_cell

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 10_000
MOST_LINES = 100_000  # most of them empty, as some spreadsheets write
DELIMITERS = ",;\t"
NOT_TEXT = "This is not a table as text. Save it as CSV (comma or semicolon) and choose that file."

EMPTY = "The file is empty."


def read_table(data: bytes) -> list[tuple[int, list[str]]]:
    """The rows that hold anything, each with its number in the file. Raises InvalidError for the field `file`."""
    if len(data) > MOST_BYTES:
        raise InvalidError({"file": "The file has more than 5 MB. Split it in two."})
    text = _decoded(data)
    if not text.strip():
        raise InvalidError({"file": EMPTY})
    first, _, rest = text.partition("\n")
    offset = 0
    if (
        first.strip().lower().startswith("sep=") and rest
    ):  # a hint that some spreadsheets write for one another
        text, offset = rest, 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows = []
    try:
        for number, cells in enumerate(reader, start=1 + offset):
            if any(cell.strip() for cell in cells):
                rows.append((number, [plain_cell(cell) for cell in cells]))
            if len(rows) > MOST_ROWS + 1 or number > MOST_LINES:
                raise InvalidError({"file": f"The file has more than {MOST_ROWS:,} rows. Split it in two."})
    except csv.Error as error:
        sentence = (
            f"The table cannot be read at line {reader.line_num + offset}: a quotation mark is not closed."
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
    """The one that the row of headings holds most of."""
    heading = next(iter(text.lstrip().splitlines()), "")
    return max(DELIMITERS, key=heading.count)
