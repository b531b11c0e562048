"""Starts the processes of an installation, restarts one that ends, and stops them all together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn, Protocol

CHECK_SECONDS = 1.0
"""A signal, a child that ends and one that is ready are noticed at once."""
READY_SECONDS = 20.0
"""A process that does not say that it is ready keeps the next one waiting no longer."""
STOP_SECONDS = 35.0
"""Web processes have 30 to finish their requests, workers stop within ten."""
QUICK_EXIT_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.2
MOST_QUICK_EXITS = 5
PR_SET_PDEATHSIG = 1
SETTINGS = "COUNTERPART_"
READY = b"1"


@dataclass(frozen=True)
class Child:
    """One process: its name in the terminal, its command, and what it has in its environment besides ours.

    `told` is written to its standard input: secrets go there, since everybody on the machine can read a command line.
    One that is not `ours` gets none of our settings. One that `says_ready` is given `--ready-fd`, to which it writes
    READY; the children after it are started then. One that runs `once` ends by itself.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    told: str = field(default="", repr=False)
    ours: bool = True
    says_ready: bool = False
    once: bool = False


class Companion(Protocol):
    """Processes that come and go beside the children; whether they stay up decides nothing."""

    def check(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    quick_exits: int = 0
    ready_fd: int | None = None
    was_ready: bool = False
    is_first: bool = True

    def is_ready(self) -> bool:
        if self.ready_fd is not None and select.select([self.ready_fd], [], [], 0)[0]:
            self.was_ready = os.read(self.ready_fd, 1) == READY
            os.close(self.ready_fd)
            self.ready_fd = None
        return self.was_ready or time.monotonic() - self.started > READY_SECONDS


def start(child: Child, quick_exits: int = 0, *, is_first: bool = True) -> Running:
    command, ready, theirs = list(child.command), None, None
    if child.says_ready:
        ready, theirs = os.pipe()
        command += ["--ready-fd", str(theirs)]
    # A session of its own: Ctrl-C reaches the supervisor alone, which then stops the children in order.
    process = subprocess.Popen(
        command,
        env=_environment(child),
        stdin=subprocess.PIPE if child.told else None,
        start_new_session=True,
        preexec_fn=_end_with_parent,
        pass_fds=() if theirs is None else (theirs,),
    )
    if theirs is not None:
        os.close(theirs)
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(child.told.encode())
    return Running(
        child,
        process,
        time.monotonic(),
        quick_exits,
        ready,
        was_ready=not child.says_ready,
        is_first=is_first,
    )


def become(child: Child) -> NoReturn:
    """Replace this process by a child's."""
    read, write = os.pipe()
    os.write(write, child.told.encode())
    os.close(write)
    os.dup2(read, 0)
    os.execve(child.command[0], list(child.command), _environment(child))


def _environment(child: Child) -> dict[str, str]:
    around = {
        name: value for name, value in os.environ.items() if child.ours or not name.startswith(SETTINGS)
    }
    return {**around, **child.environment}


def _end_with_parent() -> None:
    """A supervisor that is killed outright takes its children with it, so that the next one finds the port free."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Runs until SIGINT or SIGTERM, or until a child would not stay up."""

    def __init__(self, children: Sequence[Child], beside: Companion | None) -> None:
        self._to_start = list(children)
        self._beside = beside
        self._running: list[Running] = []
        self._stopping = False
        self._failed = False
        self._wake_fd, self._signal_fd = os.pipe()

    def run(self) -> int:
        """Returns 0, or 1 where a child would not stay up."""
        with self._signals():
            try:
                while not self._stopping and not self._failed:
                    self._start_next()
                    if self._beside is not None and not self._to_start:
                        self._beside.check()
                    self._wait(CHECK_SECONDS if self._beside is not None or self._to_start else None)
                    self._restart_ended()
            finally:
                if self._beside is not None:
                    self._beside.stop()
                stop_all(self._running)
        return 1 if self._failed else 0

    def _start_next(self) -> None:
        while self._to_start and not self._stopping and (not self._running or self._running[-1].is_ready()):
            self._running.append(start(self._to_start.pop(0)))

    def _wait(self, seconds: float | None) -> None:
        waiting = [one.ready_fd for one in self._running if one.ready_fd is not None]
        if self._wake_fd in select.select([self._wake_fd, *waiting], [], [], seconds)[0]:
            os.read(self._wake_fd, 4096)
        for one in self._running:
            one.is_ready()

    def _restart_ended(self) -> None:
        for index, one in enumerate(list(self._running)):
            status = one.process.poll()
            if status is None:
                continue
            if one.child.once and status == 0:
                self._running.remove(one)
                return
            quick = time.monotonic() - one.started < QUICK_EXIT_SECONDS
            exits = one.quick_exits + 1 if quick else 0
            # One that refuses to start says why, once.
            refused = status > 0 and one.is_first and not one.was_ready
            if one.child.once or refused or exits >= MOST_QUICK_EXITS:
                self._failed = True
                return
            again_at = time.monotonic() + FIRST_DELAY_SECONDS * 2**exits
            while not self._stopping and (left := again_at - time.monotonic()) > 0:
                self._wait(left)
            if not self._stopping:
                self._running[index] = start(one.child, exits, is_first=False)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        os.set_blocking(self._signal_fd, False)
        fd = signal.set_wakeup_fd(self._signal_fd, warn_on_full_buffer=False)
        handlers: dict[int, Callable[[int, FrameType | None], None]] = {
            signal.SIGINT: self._stop,
            signal.SIGTERM: self._stop,
            signal.SIGCHLD: lambda _number, _frame: None,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(fd)
            os.close(self._wake_fd)
            os.close(self._signal_fd)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stopping:  # a second signal cuts off what the children would still finish
            _terminate(self._running)
        self._stopping = True


def supervise(children: Sequence[Child], beside: Companion | None = None) -> int:
    """Run until SIGINT or SIGTERM. Returns 0, or 1 where a process would not stay up."""
    return Supervisor(children, beside).run()


def stop_all(running: Sequence[Running]) -> None:
    _terminate(running)
    deadline = time.monotonic() + STOP_SECONDS
    for one in running:
        try:
            one.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()


def _terminate(running: Sequence[Running]) -> None:
    for one in running:
        if one.process.poll() is None:
            one.process.terminate()
