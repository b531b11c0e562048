"""Starts the processes of an installation, starts a fallen one again, and stops them all together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

LOOK_EVERY = 0.2
STOP_SECONDS = 35.0
"""Web processes have 30 to end what they have begun, workers are gone within ten."""
QUICK_DEATH_SECONDS = 5.0
FIRST_REST_SECONDS = 0.2
PR_SET_PDEATHSIG = 1
SETTINGS = "COUNTERPART_"
MOST_QUICK_DEATHS = 5


@dataclass(frozen=True)
class Child:
    """One process: its name in the terminal, its command, and what it has in its environment besides ours.

    `told` is what it reads from its input: secrets go there, for a command can be read by everybody on the machine.
    One that is not `ours` gets none of our settings either.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    told: str = field(default="", repr=False)
    ours: bool = True


class Beside(Protocol):
    """Processes that come and go beside the others; whether they stay up decides nothing."""

    def look(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    quick_deaths: int = 0


def start(child: Child, quick_deaths: int = 0) -> Running:
    # A session of its own: Ctrl-C reaches the supervisor alone, which then stops the children in order.
    around = {
        name: value for name, value in os.environ.items() if child.ours or not name.startswith(SETTINGS)
    }
    process = subprocess.Popen(
        list(child.command),
        env={**around, **child.environment},
        stdin=subprocess.PIPE if child.told else None,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as ear:
            ear.write(child.told.encode())
    return Running(child, process, time.monotonic(), quick_deaths)


def _end_with_parent() -> None:
    """A supervisor that is killed outright takes its children with it, so that the next one finds the port free."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def supervise(
    children: Sequence[Child], ready: Callable[[], object] | None = None, beside: Beside | None = None
) -> int:
    """Run until SIGINT or SIGTERM. Returns 0, or 1 where a process would not stay up.

    `ready` is called once, when all have been started: to say where to go.
    """
    stopping = False
    running: list[Running] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:  # asked again: the children are too, and cut what they would still have ended
            _terminate(running)
        stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    running += [start(child) for child in children]
    failed = False
    try:
        if ready is not None:
            ready()
        while not stopping and not failed:
            time.sleep(LOOK_EVERY)
            if beside is not None:
                beside.look()
            for place, one in enumerate(running):
                if one.process.poll() is None:
                    continue
                quick = time.monotonic() - one.started < QUICK_DEATH_SECONDS
                deaths = one.quick_deaths + 1 if quick else 0
                if deaths >= MOST_QUICK_DEATHS:
                    failed = True
                    break
                again_at = time.monotonic() + FIRST_REST_SECONDS * 2**deaths
                while not stopping and time.monotonic() < again_at:
                    time.sleep(LOOK_EVERY)
                if not stopping:
                    running[place] = start(one.child, deaths)
    finally:
        if beside is not None:
            beside.stop()
        stop_all(running)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 1 if failed else 0


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
