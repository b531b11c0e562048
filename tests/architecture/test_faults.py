"""The fault matrix and what docs/transfers.md says of it are one; no fault of the list is left out in silence."""

from __future__ import annotations

from tests.architecture.sources import text_of
from tests.faults.matrix import ELSEWHERE, SCENARIOS, cells
from tests.faults.report import RED, squares_meant, squares_of

TOUCH_A_TRANSFER = {*range(1, 52), *range(56, 83)}


def test_the_table_in_the_docs_is_the_matrix() -> None:
    found = squares_of(text_of("docs/transfers.md"))
    assert found == squares_meant(), "make faults"
    assert RED not in text_of("docs/transfers.md")


def test_every_fault_is_met_or_says_why_not() -> None:
    met = {each.fault for each in SCENARIOS}
    assert met | set(ELSEWHERE) == TOUCH_A_TRANSFER
    assert not met & set(ELSEWHERE)


def test_every_cell_has_a_name_of_its_own() -> None:
    names = [cell.id for cell in cells()]
    assert len(names) == len(set(names))
