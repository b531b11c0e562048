"""Work that a page starts and does not wait for: threads of the process that answered it, a few at a time.

For what may be lost when the process ends. What must not be lost belongs to the worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import structlog

Scope = Callable[[], AbstractContextManager[Any]]
AT_ONCE = 4

log = structlog.get_logger()
_places = threading.BoundedSemaphore(AT_ONCE)
_running: set[threading.Thread] = set()
_scope: Scope | None = None


def bind(scope: Scope) -> None:
    """By the composition root: what gives a thread its database session."""
    global _scope
    _scope = scope


def run(work: Callable[..., object], *arguments: object) -> None:
    """Begin soon, and return at once. Threads are daemons: the end of the process does not wait for them."""
    if _scope is None:
        raise RuntimeError("services.core.background_tasks.bind() was not called.")
    thread = threading.Thread(target=_work, args=(_scope, work, arguments), name=work.__name__, daemon=True)
    _running.add(thread)
    thread.start()


def wait(seconds: float) -> bool:
    """Until all that was begun is over; False where it takes longer than that."""
    for thread in tuple(_running):
        thread.join(seconds)
    return not _running


def _work(scope: Scope, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        with _places, scope():
            work(*arguments)
    except Exception:
        log.exception("background.failed", work=work.__name__)
    finally:
        _running.discard(threading.current_thread())
