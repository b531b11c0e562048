"""A write queue for SQLite databases, across threads and processes.

SQLite has one writer, and a connection that finds it busy sleeps for up to a tenth of a second, again and again. Beside
a worker with sixteen transfers a page then waits a second. Two file locks make a queue: the holder of the first is
next, and gets the second as soon as its holder has committed. Locks end with the process that holds them.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache

from sqlalchemy.engine import Connection, Engine


def queue_for_write(bind: Engine | Connection) -> AbstractContextManager[None]:
    """Held while a transaction writes. Only for SQLite in a file: other databases need no queue."""
    return _queue(str(bind.engine.url.database)).hold() if is_single_writer(bind) else nullcontext()


def is_single_writer(bind: Engine | Connection) -> bool:
    """Whether the database has one writer at a time."""
    return bind.dialect.name == "sqlite" and bind.engine.url.database not in (None, "", ":memory:")


class _Queue:
    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._process: int | None = None
        self._next = self._writing = -1

    @contextmanager
    def hold(self) -> Iterator[None]:
        with self._threads:
            self._open()
            fcntl.flock(self._next, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._writing, fcntl.LOCK_EX)
            finally:
                fcntl.flock(self._next, fcntl.LOCK_UN)
            try:
                yield
            finally:
                fcntl.flock(self._writing, fcntl.LOCK_UN)

    def _open(self) -> None:
        """Once in each process: a lock belongs to all that inherit its descriptor, and outlives its holder there."""
        if self._process == os.getpid():
            return
        if self._process is not None:
            os.close(self._next)
            os.close(self._writing)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._next = os.open(f"{self._path}-next", flags, 0o600)
        self._writing = os.open(f"{self._path}-turn", flags, 0o600)
        self._process = os.getpid()


_queue = cache(_Queue)
