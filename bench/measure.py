"""Measuring side by side: runs in turn, medians, ratios, and the time and peak memory of a process."""

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
"""So many times what the machine alone takes is little more than it."""


@dataclass(frozen=True)
class Options:
    """How thorough a run is. `repeats` is None where each row chooses for itself."""

    folder: Path
    full: bool = False
    repeats: int | None = None
    documents: int | None = None
    mib: int = 1024

    def times(self, usual: int) -> int:
        return self.repeats or usual


@dataclass(frozen=True)
class Line:
    """One figure beside what it is compared with. `within` is None where the line only informs.

    `machine`: what this machine takes for the same without any of our code is over the goal as well, and ours is
    near to that.
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
    """Something that a row compares us with is not installed; the message says how to get it."""


def interleaved(runs: Mapping[str, Run], times: int, rest: float = 0.0) -> dict[str, list[float]]:
    """Every run once, then every run again: a machine that slows down slows all of them. The order turns.

    `rest`: seconds before each, in which what the one before left behind is cleared away.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(times):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            time.sleep(rest)
            found[name].append(runs[name]())
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    needed = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(needed) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], unit_of_work: str = "s") -> str:
    """The median with the least and the most beside it."""
    return f"{median(values):.2f} {unit_of_work} ({min(values):.2f}-{max(values):.2f})"


def ratio_line(
    row: str,
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    name: str,
    most: float,
    alone: tuple[str, Sequence[float]] | None = None,
) -> Line:
    """Our median as a multiple of another's. `alone`: what the same takes without our code, and how it is called."""
    ratio = median(ours) / median(theirs)
    compared = f"{name} {spread(theirs)}: {ratio:.2f} x"
    held_up = False
    if alone:
        compared += f"; {alone[0]} {spread(alone[1])}"
        held_up = is_the_machines(median(ours), median(alone[1]), most * median(theirs))
    return Line(row, what, spread(ours), compared, f"<= {most:.2f} x", ratio <= most, held_up)


def is_the_machines(ours: float, alone: float, most: float) -> bool:
    """Whether nothing that does the same here could keep to `most`, and ours takes little more than that."""
    return alone > most and ours <= NEAR * alone


def command(arguments: Sequence[str]) -> float:
    """Run a command to its end; the seconds that it took. It must succeed."""
    began = time.perf_counter()
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr.decode()[-800:]}")
    return seconds


def said_seconds(arguments: Sequence[str]) -> float:
    """Run a command that measures itself and prints its seconds."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments[-1]}: {done.stderr[-800:]}")
    return float(done.stdout)


def family(pid: int) -> list[int]:
    """A process and its children: a worker, and the one that writes for it."""
    return [pid, *children_of(pid)]


def reset_peak(pid: int) -> float:
    """Forget the peaks of a process's and its children's memory; says what they hold now, in MiB."""
    for each in family(pid):
        Path(f"/proc/{each}/clear_refs").write_text("5")
    return sum(_status(each, "VmRSS") for each in family(pid))


def peak(pid: int) -> float:
    """The most memory that each of them held since their peaks were forgotten, added up, in MiB."""
    return sum(_status(each, "VmHWM") for each in family(pid))


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"The process {pid} tells no {name}.")
