"""A child process that runs items as the worker does, and is killed, starved or refused at a named point.

It is forked from the test, so that it costs no start; what is changed in it dies with it.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from models import db
from tests.faults.scene import Scene
from tests.support.transfers import carry_out


def carried_by_a_child(
    scene: Scene, prepare: Callable[[], None], *, ready: Callable[[int], None] | None = None
) -> int:
    """Run the first item in a child; returns its wait status. `ready` gets its pid before it begins."""
    scene.drop_lines()
    db.session.remove()
    db.engine.dispose()
    gate_out, gate_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(gate_in)
            os.read(gate_out, 1)
            prepare()
            carry_out(scene.items[0])
            code = 0
        except BaseException:
            with suppress(OSError):
                traceback.print_exc()
        finally:
            os._exit(code)  # whatever happens, the child must not continue as a second test run
    os.close(gate_out)
    try:
        if ready is not None:
            ready(pid)
    finally:
        os.close(gate_in)
    _, status = os.waitpid(pid, 0)
    return status


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def was_killed(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def before(owner: Any, name: str) -> Callable[[], None]:
    """Kill the process when this function is called."""

    def prepare() -> None:
        _put(owner, name, lambda *_arguments, **_named: die())

    return prepare


def after(owner: Any, name: str) -> Callable[[], None]:
    """Kill the process when this function has returned."""

    def prepare() -> None:
        usual = owner[name] if isinstance(owner, dict) else getattr(owner, name)

        def stand_in(*arguments: Any, **named: Any) -> None:
            usual(*arguments, **named)
            die()

        _put(owner, name, stand_in)

    return prepare


def _put(owner: Any, name: str, value: object) -> None:
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)
