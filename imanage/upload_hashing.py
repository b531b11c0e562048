"""The SHA-256 of an upload, ready when its last block has been sent.

A local file is read a second time by a background thread, with no handover per block: two threads that hand each block
over ran alternately on one core while another was idle (docs/decisions/005).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import FileIO
from threading import Event
from typing import Protocol

BLOCK = 1024 * 1024
READ_AHEAD = 64 * BLOCK
"""How far the hashing may read ahead, so that the blocks are still in the page cache when they are sent."""
POLL_SECONDS = 0.02
NICENESS = 5
"""The hashing thread yields to the sending one by this much (nice value; on Linux per thread)."""


class RunningHash(Protocol):
    """The hash of what has been sent so far."""

    def update(self, block: memoryview, /) -> None:
        """Add the next block. Its buffer must not change until the next call but one."""

    def sha256(self) -> str:
        """Lower-case hexadecimal, of everything added."""


@contextmanager
def running_hash(file: FileIO | None) -> Iterator[RunningHash]:
    """Hash in the background: the file that the blocks come from or, without one, the blocks."""
    with ThreadPoolExecutor(1, initializer=os.nice, initargs=(NICENESS,)) as thread:
        if file is None:
            yield _BlockHash(thread)
            return
        hashing = _FileHash(file.fileno(), thread)
        try:
            yield hashing
        finally:
            hashing.cancel()


class _BlockHash:
    """Hashes one block while it is sent and the next is read."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._digest = hashlib.sha256()
        self._pending: Future[None] | None = None

    def update(self, block: memoryview, /) -> None:
        self._wait()
        self._pending = self._thread.submit(self._digest.update, block)

    def sha256(self) -> str:
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._pending is not None:
            self._pending.result()


class _FileHash:
    """Reads the file at its own pace, at most READ_AHEAD ahead of what has been sent."""

    def __init__(self, descriptor: int, thread: ThreadPoolExecutor) -> None:
        self._descriptor = descriptor
        self._sent = 0
        self._finished = Event()
        self._cancelled = False
        self._written = self._mtime()
        self._result = thread.submit(self._read)

    def update(self, block: memoryview, /) -> None:
        self._sent += len(block)

    def sha256(self) -> str:
        self._finished.set()
        digest = self._result.result()
        # If the file was modified meanwhile, the hashed bytes may differ from those sent.
        return digest if self._mtime() == self._written else self._read()

    def cancel(self) -> None:
        """Stop reading before the end."""
        self._cancelled = True
        self._finished.set()

    def _read(self) -> str:
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(BLOCK))
        at = 0
        while not self._cancelled and (count := os.preadv(self._descriptor, [buffer], at)):
            digest.update(buffer[:count])
            at += count
            while at > self._sent + READ_AHEAD and not self._finished.wait(POLL_SECONDS):
                pass
        return digest.hexdigest()

    def _mtime(self) -> int:
        return os.fstat(self._descriptor).st_mtime_ns
