"""docs/found-and-mended.md: every fault has a row, and every test that a row names exists."""

from __future__ import annotations

import re

from tests.architecture.sources import REPOSITORY, text_of

PAGE = "docs/found-and-mended.md"
ROW = re.compile(r"^\| (\d+)[a-z]? \|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/.-]+)(?:::(\w+))?[^`]*`")
NUMBERS = range(47)


def rows() -> list[tuple[int, list[str]]]:
    found = ROW.findall(text_of(PAGE))
    return [(int(number), [cell.strip() for cell in rest.split(" | ")]) for number, rest in found]


def named_tests() -> list[tuple[str, str]]:
    return sorted({(path, name) for _, cells in rows() for path, name in TEST.findall(cells[-1])})


def test_every_number_has_a_row_with_cause_kind_other_places_and_a_test() -> None:
    assert sorted({number for number, _ in rows()}) == list(NUMBERS)
    for number, cells in rows():
        assert len(cells) == 5 and all(cells), f"Row {number} has empty or missing cells."
        assert TEST.search(cells[-1]), f"Row {number} names no test."


def test_every_test_that_a_row_names_exists() -> None:
    assert [
        (path, name)
        for path, name in named_tests()
        if not (REPOSITORY / path).exists() or (name and not re.search(rf"\bdef {name}\b", text_of(path)))
    ] == []
