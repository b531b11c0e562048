"""P10: what an installation at rest takes: on SQLite all of it, on PostgreSQL its worker.

The processor time of each process over a minute, and the memory that is theirs (PSS). The processes are web, worker (on
SQLite with its writer process), practice iManage and their supervisor.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.databases import postgresql, sqlite
from bench.measure import Line, Options, median, processor_seconds, tree
from config import DEFAULT_CHECK_MINUTES
from tests.support.stack import Process, answers, free_port, installation_environment, until

MOST_PERCENT = 0.3
MOST_MB, MOST_MB_OF_WORKER = 250.0, 90.0
SECONDS = 60.0
SETTLE_SECONDS = 20.0
FLASK = (sys.executable, "-m", "flask", "--app", "app")


@dataclass
class AtRest:
    """One process: its share of a core in percent and its PSS in MB, for each repetition."""

    pid: int
    command: tuple[str, ...]
    shares: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def run(options: Options) -> list[Line]:
    with sqlite(options.folder) as url:
        every = _at_rest(url, options)
    with postgresql(options.folder) as url:
        workers = [each for each in _at_rest(url, options) if each.command[-1] == "worker"]
    return [
        *_lines(f"{len(every)} processes on SQLite", every, MOST_MB),
        *_lines("a worker on PostgreSQL", workers, MOST_MB_OF_WORKER),
    ]


def _at_rest(database_url: str, options: Options) -> list[AtRest]:
    folder = Path(tempfile.mkdtemp(prefix="rest-", dir=options.folder))
    port, practice = free_port(), free_port()
    environment = installation_environment(folder, port, practice) | {
        "COUNTERPART_DATABASE_URL": database_url,
        "COUNTERPART_PRACTICE_PORT": str(practice),
        "COUNTERPART_CHECK_MINUTES": str(DEFAULT_CHECK_MINUTES),
    }
    switching = Process(
        "practice", [sys.executable, "-m", "bench.practice"], environment, folder / "practice.log"
    )
    switching.start()
    if switching.running is None or switching.running.wait(60):
        raise RuntimeError(switching.said())
    process = Process("up", [*FLASK, "up"], environment, folder / "up.log")
    process.start()
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/sign-in"), "Counterpart", 60)
        until(lambda: answers(f"http://127.0.0.1:{practice}/api"), "The practice iManage", 60)
        time.sleep(SETTLE_SECONDS)
        assert process.running is not None
        found = [AtRest(pid, _command(pid)) for pid in tree(process.running.pid)]
        for _ in range(options.times(1)):
            before = [processor_seconds(each.pid) for each in found]
            time.sleep(SECONDS)
            for each, was in zip(found, before, strict=True):
                each.shares.append((processor_seconds(each.pid) - was) / SECONDS * 100)
                each.memory.append(_pss(each.pid))
    finally:
        process.stop()
    return found


def _lines(what: str, processes: Sequence[AtRest], most_mb: float) -> list[Line]:
    share = median([sum(one) for one in zip(*(each.shares for each in processes), strict=True)])
    memory = median([sum(one) for one in zip(*(each.memory for each in processes), strict=True)])
    each = ", ".join(f"{median(process.shares):.2f}" for process in processes)
    return [
        Line(
            "P10",
            f"processor of {what} at rest, over {SECONDS:.0f} s",
            f"{share:.2f} % of a core",
            f"each: {each}" if len(processes) > 1 else "",
            f"<= {MOST_PERCENT} %",
            share <= MOST_PERCENT,
        ),
        Line(
            "P10",
            "memory of the same (PSS)",
            f"{memory:.0f} MB",
            "",
            f"<= {most_mb:.0f} MB",
            memory <= most_mb,
        ),
    ]


def _command(pid: int) -> tuple[str, ...]:
    return tuple(Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0"))


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
