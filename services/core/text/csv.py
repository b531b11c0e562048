"""Tables as CSV text, guarded against formula injection (https://owasp.org/www-community/attacks/CSV_Injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

# Spreadsheets also accept the full-width forms, and skip spaces, quotes and separators before a formula.
_FORMULA = re.compile(r"""[\s"',;]*[=+\-@\uff1d\uff0b\uff0d\uff20]""")
_CONTROL_FIRST = ("\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """The cell as text; one that a spreadsheet could run as a formula gets a leading apostrophe."""
    text = str(value)
    return f"'{text}" if _could_run(text) else text


def plain_cell(text: str) -> str:
    """The inverse of safe_cell()."""
    return text[1:] if text.startswith("'") and _could_run(text[1:]) else text


def _could_run(text: str) -> bool:
    return text.startswith(_CONTROL_FIRST) or _FORMULA.match(text) is not None


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A whole table, every cell quoted."""
    return "".join(csv_lines(header, rows))


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The table line by line, for one that is too long to hold in memory."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    yield out.getvalue()
    for row in rows:
        out.seek(0)
        out.truncate()
        writer.writerow([safe_cell(value) for value in row])
        yield out.getvalue()
