"""The exit status of a whole run."""

from __future__ import annotations

import pytest

from tests.support.repository import ROOT
from tests.support.suites import SQLITE_ONLY, worst


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([0, 0, 0], 0),
        ([0, 5, 5], 0),
        ([5, 1, 0], 1),
        ([5, 5, 5], 5),
        ([2, 5, 1], 2),
        ([0, 137], 137),
        ([], 5),
    ],
)
def test_a_suite_without_the_selected_tests_fails_nothing(statuses: list[int], status: int) -> None:
    assert worst(statuses) == status


def test_files_left_out_on_postgresql_exist() -> None:
    assert [name for name in SQLITE_ONLY if not (ROOT / "tests" / "integration" / name).exists()] == []
