"""Where the threads of a worker write what they put on record: each in itself, or all in one process beside them.

SQLite has one writer, and pages wait for it. Among sixteen threads that move documents a writer has its turn for as
long as Python lets the others run first; in a process that does nothing else it is through in a third of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar("Found")
Recorder = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
_recorder: Recorder | None = None


def bind(recorder: Recorder | None) -> None:
    """By a worker: who calls what is to be recorded, and hands back what came of it."""
    global _recorder
    _recorder = recorder


def record(write: Callable[..., Found], *arguments: object) -> Found:
    """Call a function that writes rows and keeps nothing in memory. Raises what it raises.

    The function is one of a module, and it and its arguments can be pickled. Never inside a unit: that has the turn
    for which this would wait.
    """
    if _recorder is None:
        return write(*arguments)
    found: Found = _recorder(write, arguments)
    return found
