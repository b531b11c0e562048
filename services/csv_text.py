"""Tables as CSV text that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

# Spreadsheets also start a formula at the full-width forms, and after blanks, quotes or separators they skip.
_FORMULA = re.compile(r"""[\s"',;]*[=+\-@\uff1d\uff0b\uff0d\uff20]""")
_CONTROL_FIRST = ("\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """The cell as text; one that could be taken for a formula begins with an apostrophe."""
    text = str(value)
    if text.startswith(_CONTROL_FIRST) or _FORMULA.match(text):
        return f"'{text}"
    return text


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A whole table, every cell quoted."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
    return out.getvalue()
