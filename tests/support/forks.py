"""Commands of the product that start at once: `Forked` is forked from a process that has imported the product.

Importing takes a second of the processor, and the tests start hundreds of processes. Each runs its own command line
from the beginning, in its own environment, and ends as a Python process does. Tests about a start, about what the
machine lists of a process or about its children use `subprocess`.

`python -m tests.support.forks FD` is the process that forks: one for each process of tests, ending with it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from tests.support.repository import ROOT

IMPORTED = (
    *(
        "app",
        "composition",
        "commands.migrations",
        "commands.serve",
        "commands.up",
        "flask.cli",
    ),
    *(
        "alembic.command",
        "alembic.autogenerate",
        "jobs.worker",
        "psycopg",
        "sqlalchemy.dialects.postgresql.psycopg",
    ),
    *(
        "simulator.seed",
        "simulator.server",
        "simulator.worlds",
        "tests.support.pages",
        "tests.support.matters",
    ),
)
MOST = 1 << 20  # bytes of a message


class Forked:
    """A running `python -m …`, with the interface of `subprocess.Popen`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: IO[Any],
        stderr: IO[Any] | int = subprocess.STDOUT,
        stdin: IO[Any] | None = None,
        start_new_session: bool = False,
    ) -> None:
        python, dash_m, *arguments = command
        assert (python, dash_m) == (sys.executable, "-m"), command
        self._told, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = {"arguments": arguments, "environment": dict(env), "session": start_new_session}
        errors = stdout if isinstance(stderr, int) else stderr
        with theirs, Path("/dev/null").open("rb") as nothing:
            files = [theirs.fileno(), (stdin or nothing).fileno(), stdout.fileno(), errors.fileno()]
            socket.send_fds(_parent(), [json.dumps(message).encode()], files)
        self.pid = int(self._told.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._told.recv(64)))
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            select.select([self._told], [], [], timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    command: Sequence[str], *, env: Mapping[str, str], given: str = "", timeout: float = 90
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with captured output."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write(given.encode())
        stdin.seek(0)
        process = Forked(command, env=env, stdin=stdin, stdout=out, stderr=err)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, status, out.read().decode(), err.read().decode())


@cache
def _parent() -> socket.socket:
    """The connection to the process that forks, which ends when it is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", __name__, str(theirs.fileno())],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("COUNTERPART_")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for each request. Returns it in the child, and nothing in the parent at its end."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        sources: list[socket.socket | int] = [requests, *running]
        ready = select.select(sources, [], [])[0]
        for pidfd in ready:
            if pidfd in running:
                pid, told = running.pop(pidfd)
                with told:
                    _tell(told, os.waitpid(pid, 0)[1])
                os.close(pidfd)
        if requests not in ready:
            continue
        message, files, _, _ = socket.recv_fds(requests, MOST, 4)
        if not message:
            return None
        if (pid := os.fork()) == 0:
            for number, file in enumerate(files[1:]):
                os.dup2(file, number)
            for _, connection in [(0, requests), *running.values()]:
                connection.detach()
            os.closerange(3, 1 << 20)
            request: dict[str, Any] = json.loads(message)
            return request
        told = socket.socket(fileno=files[0])
        for file in files[1:]:
            os.close(file)
        _tell(told, pid)
        running[os.pidfd_open(pid)] = pid, told


def _tell(told: socket.socket, number: int) -> None:
    with suppress(OSError):  # the test has ended
        told.send(str(number).encode())


def main(requests: socket.socket) -> None:
    for name in IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    request = _serve(requests)
    if request is None:
        return
    if request["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
