"""Where a worker's threads run their writes: in the thread itself, or all of them in one writer process.

SQLite has one writer at a time, and pages wait for it. A thread among sixteen busy ones holds the write lock while it
waits for the GIL; a process that does nothing else finishes in a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
Writer = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
_writer: Writer | None = None


def bind(writer: Writer | None) -> None:
    """Called by a worker: `writer` calls the function with the arguments and returns its result."""
    global _writer
    _writer = writer


def run_in_writer(write: Callable[..., Result], *arguments: object) -> Result:
    """Call `write` in the writer process, or here if there is none. Returns and raises as it does.

    `write` is a module-level function that keeps nothing in memory, with arguments that can be pickled. Never call
    this inside a unit of work: it would hold the write lock that this call waits for.
    """
    if _writer is None:
        return write(*arguments)
    result: Result = _writer(write, arguments)
    return result
