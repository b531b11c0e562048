"""Work that a request starts and does not wait for: threads of the same process, a few at a time.

For work that may be lost when the process ends; anything else belongs to the worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import structlog

Scope = Callable[[], AbstractContextManager[Any]]
MAX_THREADS = 4

log = structlog.get_logger()
_slots = threading.BoundedSemaphore(MAX_THREADS)
_running: set[threading.Thread] = set()
_scope: Scope | None = None


def bind(scope: Scope) -> None:
    """Called by the composition root: the context that gives a thread its database session."""
    global _scope
    _scope = scope


def run(work: Callable[..., object], *arguments: object) -> None:
    """Start the work and return. Threads are daemons: the process does not wait for them when it ends."""
    if _scope is None:
        raise RuntimeError("services.core.background_tasks.bind() was not called.")
    thread = threading.Thread(target=_work, args=(_scope, work, arguments), name=work.__name__, daemon=True)
    _running.add(thread)
    thread.start()


def wait(seconds: float) -> bool:
    """Wait for all started work; False if it takes longer than this."""
    for thread in tuple(_running):
        thread.join(seconds)
    return not _running


def _work(scope: Scope, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        with _slots, scope():
            work(*arguments)
    except Exception:
        log.exception("background.failed", work=work.__name__)
    finally:
        _running.discard(threading.current_thread())
