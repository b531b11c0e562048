"""The supervisor and its processes: a crashed one is restarted, and they stop together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import is_alive
from tests.support.worker_processes import REPOSITORY, until

Start = Callable[..., subprocess.Popen[bytes]]
SLEEPS = "import time; time.sleep(60)"
CRASHES = "raise SystemExit(3)"
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def announcing(folder: Path, then: str) -> str:
    """Code of a child that creates a file named after its process id and then runs `then`."""
    return f"import os, pathlib; pathlib.Path({str(folder)!r}, str(os.getpid())).touch(); {then}"


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def supervise(
        *children: str, stop_seconds: float = 12.0, first_delay: float = 0.2
    ) -> subprocess.Popen[bytes]:
        source = f"""
            import sys
            from commands import supervise
            supervise.STOP_SECONDS = {stop_seconds}
            supervise.FIRST_DELAY_SECONDS = {first_delay}
            children = [supervise.Child("one", [sys.executable, "-c", each]) for each in {list(children)!r}]
            sys.exit(supervise.supervise(children))
        """
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], cwd=REPOSITORY)
        started.append(process)
        return process

    yield supervise
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def children(folder: Path) -> list[int]:
    return [int(path.name) for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)]


def test_a_crashed_process_is_restarted(start: Start, tmp_path: Path) -> None:
    start(announcing(tmp_path, SLEEPS))
    until(lambda: len(children(tmp_path)) == 1, "the first")
    os.kill(children(tmp_path)[0], signal.SIGKILL)
    until(lambda: len(children(tmp_path)) == 2, "its successor", 10)
    assert is_alive(children(tmp_path)[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_stops_every_process(start: Start, tmp_path: Path, number: int) -> None:
    supervisor = start(announcing(tmp_path, SLEEPS), announcing(tmp_path, SLEEPS))
    until(lambda: len(children(tmp_path)) == 2, "both")
    supervisor.send_signal(number)
    assert supervisor.wait(10) == 0
    assert not any(is_alive(pid) for pid in children(tmp_path))


def test_a_process_that_ignores_sigterm_is_killed(start: Start, tmp_path: Path) -> None:
    supervisor = start(announcing(tmp_path, IGNORES_SIGTERM), stop_seconds=0.5)
    until(lambda: len(children(tmp_path)) == 1, "the child")
    time.sleep(0.3)
    supervisor.terminate()
    assert supervisor.wait(10) == 0
    assert not is_alive(children(tmp_path)[0])


def test_a_process_that_keeps_crashing_stops_all(start: Start, tmp_path: Path) -> None:
    for name in ("crashing", "sleeping"):
        (tmp_path / name).mkdir()
    crashing, sleeping = announcing(tmp_path / "crashing", CRASHES), announcing(tmp_path / "sleeping", SLEEPS)
    supervisor = start(crashing, sleeping, first_delay=0.02)
    assert supervisor.wait(40) == 1
    assert len(children(tmp_path / "crashing")) == 5
    assert not any(is_alive(pid) for pid in children(tmp_path / "sleeping"))


def test_a_killed_supervisor_leaves_no_process_behind(start: Start, tmp_path: Path) -> None:
    supervisor = start(announcing(tmp_path, SLEEPS))
    until(lambda: len(children(tmp_path)) == 1, "the child")
    supervisor.kill()
    until(lambda: not is_alive(children(tmp_path)[0]), "its end", 5)
