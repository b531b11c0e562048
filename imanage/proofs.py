"""The SHA-256 of what is being sent, known when its last block is.

A file on our own disk is read a second time for it, by a thread that the sending one never wakes: two threads that hand
each other every block were seen to take turns on one processor while another stood idle (docs/decisions/005).
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
LEAD = 64 * BLOCK
"""How far the second reading may be ahead: what it has read is still in memory when it is sent."""
NAP_SECONDS = 0.02
GIVES_WAY = 5
"""By so much nicer (Linux: of this thread alone) is what hashes than what feeds the line."""


class Proof(Protocol):
    """What hashes along."""

    def note(self, block: memoryview, /) -> None:
        """This is sent next. It stays what it is until the next but one is noted."""

    def sha256(self) -> str:
        """In lower-case hexadecimal, of all that was sent."""


@contextmanager
def proof_of(file: FileIO | None) -> Iterator[Proof]:
    """Hash along: the blocks as they are noted, or the file that they come from, beside."""
    with ThreadPoolExecutor(1, initializer=os.nice, initargs=(GIVES_WAY,)) as thread:
        if file is None:
            yield _ByTheBlock(thread)
            return
        beside = _Beside(file.fileno(), thread)
        try:
            yield beside
        finally:
            beside.leave()


class _ByTheBlock:
    """One block is hashed while it is sent and the next is read."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._digest = hashlib.sha256()
        self._noted: Future[None] | None = None

    def note(self, block: memoryview, /) -> None:
        self._wait()
        self._noted = self._thread.submit(self._digest.update, block)

    def sha256(self) -> str:
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._noted is not None:
            self._noted.result()


class _Beside:
    """A reading of its own, at its own pace, at most LEAD ahead of what is sent."""

    def __init__(self, descriptor: int, thread: ThreadPoolExecutor) -> None:
        self._descriptor = descriptor
        self._sent = 0
        self._all_sent = Event()
        self._left = False
        self._written = self._last_written()
        self._found = thread.submit(self._read)

    def note(self, block: memoryview, /) -> None:
        self._sent += len(block)

    def sha256(self) -> str:
        self._all_sent.set()
        found = self._found.result()
        # Where the file was written to meanwhile, what was hashed need not be what was sent.
        return found if self._last_written() == self._written else self._read()

    def leave(self) -> None:
        """Stop reading, whatever is still to come."""
        self._left = True
        self._all_sent.set()

    def _read(self) -> str:
        digest = hashlib.sha256()
        room = memoryview(bytearray(BLOCK))
        at = 0
        while not self._left and (count := os.preadv(self._descriptor, [room], at)):
            digest.update(room[:count])
            at += count
            while at > self._sent + LEAD and not self._all_sent.wait(NAP_SECONDS):
                pass
        return digest.hexdigest()

    def _last_written(self) -> int:
        return os.fstat(self._descriptor).st_mtime_ns
