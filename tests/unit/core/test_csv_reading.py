"""Tables as people's spreadsheets write them, all read as the same rows."""

from __future__ import annotations

import json

import pytest

from services.core.errors import InvalidError
from services.core.text.csv import csv_text, plain_cell, safe_cell
from services.core.text.csv_reading import MAX_BYTES, MAX_LINES, MAX_ROWS, read_table
from tests.support.repository import LISTS

HOSTILE: list[str] = json.loads((LISTS / "csv_cells.json").read_text())
ROWS = [["Name", "Email"], ["Zoë Müller", "zoe@firm.test"], ["O'Neill, Tom", "tom@firm.test"]]


def rows(data: bytes) -> list[list[str]]:
    return [cells for _, cells in read_table(data)]


def written(delimiter: str) -> str:
    return "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_spreadsheets_file_is_read(delimiter: str, encoding: str) -> None:
    assert rows(written(delimiter).encode(encoding)) == ROWS


def test_a_hint_at_the_delimiter_is_no_row_and_rows_keep_their_numbers() -> None:
    assert read_table(b"sep=;\nName;Email\n\nAnna;a@x.test\n;\n")[1] == (4, ["Anna", "a@x.test"])
    assert read_table(b"Name,Email\n\nAnna,a@x.test\n")[1] == (3, ["Anna", "a@x.test"])


def test_a_cell_may_hold_line_breaks_and_quotes() -> None:
    assert rows(b'Name,Email\n"An ""Ann""\nB",x\n') == [["Name", "Email"], ['An "Ann"\nB', "x"]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b'Name,Email\n"Anna,a@x.test\n', "not closed"),
        (b"PK\x03\x04\x00\x00\x08\x00\x00\x00\xff\xfe\x81", "not CSV"),
        (b"\x81\x8d\x90", "not CSV"),
        (b"a" * (MAX_BYTES + 1), "5 MB"),
        (b"n\n" * (MAX_ROWS + 2), "10,000 rows"),
        (b"n\n" + b"\n" * MAX_LINES, "10,000 rows"),
        (b"Name,Email\n" + b"x" * 200_000, "cannot be read"),
    ],
)
def test_what_is_no_such_table_is_refused_with_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        read_table(data)


def test_as_many_rows_as_are_allowed_are_read() -> None:
    assert len(read_table(b"n\n" * (MAX_ROWS + 1))) == MAX_ROWS + 1


@pytest.mark.parametrize("cell", [*HOSTILE, "'", "''", "'=1", "''=1", "O'Neill", "=1", "plain", ""])
def test_what_goes_out_comes_back(cell: str) -> None:
    assert plain_cell(safe_cell(cell)) == cell
    assert rows(csv_text(["Name", "End"], [[cell, "."]]).encode("utf-8-sig"))[1] == [cell, "."]


@pytest.mark.parametrize("cell", HOSTILE)
def test_no_hostile_cell_goes_out_as_it_is(cell: str) -> None:
    assert safe_cell(cell).startswith("'")
