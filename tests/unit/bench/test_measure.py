"""The arithmetic of the bench: medians, percentiles, ratios and verdicts."""

from __future__ import annotations

import sys

import pytest

from bench.measure import command, interleaved, percentile, ratio_line, spread
from bench.moving import TransferRun


def test_runs_alternate_in_reversing_order() -> None:
    order: list[str] = []

    def run(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    found = interleaved({"ours": lambda: run("ours", 1.0), "theirs": lambda: run("theirs", 2.0)}, 3)

    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert found == {"ours": [1.0, 1.0, 1.0], "theirs": [2.0, 2.0, 2.0]}


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0), (0.0, 1.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


@pytest.mark.parametrize(("ours", "verdict"), [([2.7, 2.6, 9.0], "ok"), ([2.8, 2.8, 1.0], "over")])
def test_a_ratio_compares_medians_with_the_goal(ours: list[float], verdict: str) -> None:
    line = ratio_line("P1", "get", ours, [2.0, 2.0, 8.0], "curl", 1.35)

    assert line.verdict == verdict
    assert line.goal == "<= 1.35 x"


@pytest.mark.parametrize(
    ("ours", "alone", "verdict"),
    [(2.6, 2.5, "ok"), (2.8, 2.0, "over"), (3.2, 2.8, "machine"), (3.5, 2.8, "over")],
)
def test_a_goal_that_the_machine_alone_misses_is_not_called_ours(
    ours: float, alone: float, verdict: str
) -> None:
    """The goal is 2.7 s here."""
    line = ratio_line("P1", "get", [ours], [2.0], "curl", 1.35, ("the disk alone", [alone]))

    assert line.verdict == verdict
    assert line.compared.endswith(f"the disk alone {alone:.2f} s ({alone:.2f}-{alone:.2f})")


def test_a_spread_shows_the_least_and_the_most() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 s (1.00-3.00)"


def test_the_floor_is_what_the_latency_alone_takes() -> None:
    assert TransferRun(seconds=7.0, calls=2000, documents=1000).floor(0.05) == pytest.approx(6.25)


def test_a_command_is_timed_to_its_end() -> None:
    assert 0.2 <= command([sys.executable, "-c", "import time; time.sleep(0.2)"]) < 30


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        command([sys.executable, "-c", "raise SystemExit(3)"])
