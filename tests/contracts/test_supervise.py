"""The supervisor and its processes: a fallen one is started again, and they end together."""

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
STAYS = "import time; time.sleep(60)"
FALLS = "raise SystemExit(3)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def says_itself(folder: Path, then: str) -> str:
    """A child that leaves a file with its process id, and then does something."""
    return f"import os, pathlib; pathlib.Path({str(folder)!r}, str(os.getpid())).touch(); {then}"


@pytest.fixture
def start() -> Iterator[Start]:
    begun: list[subprocess.Popen[bytes]] = []

    def supervise(
        *children: str, stop_seconds: float = 12.0, first_rest: float = 0.2
    ) -> subprocess.Popen[bytes]:
        source = f"""
            import sys
            from commands import supervise
            supervise.STOP_SECONDS = {stop_seconds}
            supervise.FIRST_DELAY_SECONDS = {first_rest}
            children = [supervise.Child("one", [sys.executable, "-c", each]) for each in {list(children)!r}]
            sys.exit(supervise.supervise(children))
        """
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], cwd=REPOSITORY)
        begun.append(process)
        return process

    yield supervise
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.wait()


def children(folder: Path) -> list[int]:
    return [int(path.name) for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)]


def test_a_fallen_process_is_started_again(start: Start, tmp_path: Path) -> None:
    start(says_itself(tmp_path, STAYS))
    until(lambda: len(children(tmp_path)) == 1, "the first")
    os.kill(children(tmp_path)[0], signal.SIGKILL)
    until(lambda: len(children(tmp_path)) == 2, "its successor", 10)
    assert is_alive(children(tmp_path)[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_them_all(start: Start, tmp_path: Path, number: int) -> None:
    supervisor = start(says_itself(tmp_path, STAYS), says_itself(tmp_path, STAYS))
    until(lambda: len(children(tmp_path)) == 2, "both")
    supervisor.send_signal(number)
    assert supervisor.wait(10) == 0
    assert not any(is_alive(pid) for pid in children(tmp_path))


def test_one_that_does_not_listen_is_killed_in_the_end(start: Start, tmp_path: Path) -> None:
    supervisor = start(says_itself(tmp_path, DEAF), stop_seconds=0.5)
    until(lambda: len(children(tmp_path)) == 1, "the deaf one")
    time.sleep(0.3)
    supervisor.terminate()
    assert supervisor.wait(10) == 0
    assert not is_alive(children(tmp_path)[0])


def test_one_that_will_not_stay_up_ends_the_whole(start: Start, tmp_path: Path) -> None:
    for name in ("falls", "stays"):
        (tmp_path / name).mkdir()
    falls, stays = says_itself(tmp_path / "falls", FALLS), says_itself(tmp_path / "stays", STAYS)
    supervisor = start(falls, stays, first_rest=0.02)
    assert supervisor.wait(40) == 1
    assert len(children(tmp_path / "falls")) == 5
    assert not any(is_alive(pid) for pid in children(tmp_path / "stays"))


def test_a_supervisor_that_is_killed_outright_leaves_nobody_behind(start: Start, tmp_path: Path) -> None:
    supervisor = start(says_itself(tmp_path, STAYS))
    until(lambda: len(children(tmp_path)) == 1, "the child")
    supervisor.kill()
    until(lambda: not is_alive(children(tmp_path)[0]), "its end", 5)
