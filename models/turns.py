"""Whose turn it is to write to a SQLite database: threads and processes queue for it, each waiting only for the next.

SQLite has one writer, and sends whoever finds it busy to sleep for up to a tenth of a second, again and again. Beside
a worker with sixteen transfers that is a second for a page. Two file locks make a queue: whoever holds the first is
next, and gets the second as soon as its holder has committed. Locks end with the process that holds them.

Python runs one thread at a time, and whoever has the turn hands that on at each statement. Threads that have other
work to begin give way, or all who wait to write would wait for that as well.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache

from sqlalchemy.engine import Connection, Engine

LONGEST_SECONDS = 0.03
"""Nobody gives way for longer: a writer may be waiting for the disk."""

_nobody_to_let_finish = threading.Event()
_nobody_to_let_finish.set()
_writer = 0
"""The thread of this process that had its turn last."""


def let_writer_finish() -> None:
    """Wait for the thread of this process that has its turn. Called before work for which nobody else waits."""
    if not _nobody_to_let_finish.is_set() and _writer != threading.get_ident():
        _nobody_to_let_finish.wait(LONGEST_SECONDS)


def let_others_go_on() -> None:
    """For whoever has the turn: there is nothing left to do that others could hold up."""
    _nobody_to_let_finish.set()


def _be_let_finish() -> None:
    global _writer
    _writer = threading.get_ident()
    _nobody_to_let_finish.clear()


def turn_to_write(bind: Engine | Connection) -> AbstractContextManager[None]:
    """Held while a transaction writes. Other databases than SQLite in a file queue by themselves."""
    path = bind.engine.url.database
    if bind.dialect.name != "sqlite" or not path or path == ":memory:":
        return nullcontext()
    return _queue(path).turn()


class _Queue:
    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._process: int | None = None
        self._next = self._turn = -1

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._threads:
            self._open()
            fcntl.flock(self._next, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._turn, fcntl.LOCK_EX)
            finally:
                fcntl.flock(self._next, fcntl.LOCK_UN)
            _be_let_finish()
            try:
                yield
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)
                let_others_go_on()

    def _open(self) -> None:
        """Once in each process: a lock is shared by all that inherit its descriptor."""
        if self._process == os.getpid():
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._next = os.open(f"{self._path}-next", flags, 0o600)
        self._turn = os.open(f"{self._path}-turn", flags, 0o600)
        self._process = os.getpid()


_queue = cache(_Queue)
