"""P10: what a whole installation at rest takes on SQLite: web, worker, practice iManage and their supervisor.

The processor time of every process over a minute, and the memory that is theirs (PSS).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.measure import Line, Options, median, tree
from config import DEFAULT_CHECK_MINUTES
from tests.support.stack import Process, answers, free_port, installation_environment, until

MOST_PERCENT, MOST_MB = 0.3, 250.0
SECONDS = 60.0
SETTLE_SECONDS = 20.0
FLASK = (sys.executable, "-m", "flask", "--app", "app")


def run(options: Options) -> list[Line]:
    folder = Path(tempfile.mkdtemp(prefix="rest-", dir=options.folder))
    port, practice = free_port(), free_port()
    environment = installation_environment(folder, port, practice) | {
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
        pids = tree(process.running.pid)
        shares, memory = [], []
        for _ in range(options.times(1)):
            before = [_seconds(pid) for pid in pids]
            time.sleep(SECONDS)
            each = [(_seconds(pid) - was) / SECONDS * 100 for pid, was in zip(pids, before, strict=True)]
            shares.append(sum(each))
            memory.append(sum(map(_pss, pids)))
    finally:
        process.stop()
    parts = ", ".join(f"{share:.2f}" for share in each)
    return [
        Line(
            "P10",
            f"processor of {len(pids)} processes at rest, over {SECONDS:.0f} s",
            f"{median(shares):.2f} % of a core",
            f"each: {parts}",
            f"<= {MOST_PERCENT} %",
            median(shares) <= MOST_PERCENT,
        ),
        Line(
            "P10",
            "memory of the same (PSS)",
            f"{median(memory):.0f} MB",
            "",
            f"<= {MOST_MB:.0f} MB",
            median(memory) <= MOST_MB,
        ),
    ]


def _seconds(pid: int) -> float:
    """The processor time of all threads, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
