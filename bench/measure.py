"""Measurements: interleaved runs, medians, ratios, and the time and peak memory of a process."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import children_of

Run = Callable[[], float]
NEAR = 1.2
"""Up to this factor, our figure counts as close to the machine's own."""


@dataclass(frozen=True)
class Options:
    """The options of a run. `repeats` is None if each row uses its own default."""

    folder: Path
    full: bool = False
    repeats: int | None = None
    documents: int | None = None
    mib: int = 1024

    def times(self, usual: int) -> int:
        return self.repeats or usual


@dataclass(frozen=True)
class Line:
    """One figure and its reference. `within` is None if the line has no goal.

    `machine`: this machine exceeds the goal even without our code, and our figure is close to the machine's.
    """

    row: str
    what: str
    ours: str
    compared: str
    goal: str
    within: bool | None
    machine: bool = False

    @property
    def verdict(self) -> str:
        if self.within is None:
            return ""
        return "ok" if self.within else "machine" if self.machine else "over"


class MissingToolError(Exception):
    """A tool needed for a comparison is not installed; the message says how to install it."""


def interleaved(runs: Mapping[str, Run], times: int, rest: float = 0.0) -> dict[str, list[float]]:
    """Repeat all runs in rotating order, so that a machine that slows down slows all of them alike.

    `rest`: seconds before each run, for cleanup after the previous one.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for repeat in range(times):
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            time.sleep(rest)
            found[name].append(runs[name]())
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values do not exceed."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    needed = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(needed) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], unit: str = "s") -> str:
    """The median with minimum and maximum."""
    return f"{median(values):.2f} {unit} ({min(values):.2f}-{max(values):.2f})"


def ratio_line(
    row: str,
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    name: str,
    most: float,
    alone: tuple[str, Sequence[float]] | None = None,
) -> Line:
    """Our median as a multiple of the reference. `alone`: a label and the times of the same work without our code."""
    ratio = median(ours) / median(theirs)
    compared = f"{name} {spread(theirs)}: {ratio:.2f} x"
    machine_limit = False
    if alone:
        compared += f"; {alone[0]} {spread(alone[1])}"
        machine_limit = is_the_machines(median(ours), median(alone[1]), most * median(theirs))
    return Line(row, what, spread(ours), compared, f"<= {most:.2f} x", ratio <= most, machine_limit)


def is_the_machines(ours: float, alone: float, most: float) -> bool:
    """Whether this machine exceeds `most` even without our code, and ours is close to that."""
    return alone > most and ours <= NEAR * alone


def command(arguments: Sequence[str]) -> float:
    """Run a command that must succeed; returns the seconds it took."""
    began = time.perf_counter()
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr.decode()[-800:]}")
    return seconds


def reported_seconds(arguments: Sequence[str]) -> float:
    """Run a command that measures itself and prints its seconds."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments[-1]}: {done.stderr[-800:]}")
    return float(done.stdout)


def process_tree(pid: int) -> list[int]:
    """A process and its children: a worker and its writer process."""
    return [pid, *children_of(pid)]


def tree(pid: int) -> list[int]:
    """A process and all that come from it."""
    return [pid, *(each for child in children_of(pid) for each in tree(child))]


def reset_peak(pid: int) -> float:
    """Reset the peak memory of a process and its children; returns their current memory in MiB."""
    for each in process_tree(pid):
        Path(f"/proc/{each}/clear_refs").write_text("5")
    return sum(_status(each, "VmRSS") for each in process_tree(pid))


def peak(pid: int) -> float:
    """The sum of their peak memory since `reset_peak`, in MiB."""
    return sum(_status(each, "VmHWM") for each in process_tree(pid))


def processor_seconds(pid: int) -> float:
    """The processor time of all threads of a process, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"The process {pid} has no {name}.")
