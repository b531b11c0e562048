"""The SHA-256 of a file that grows.

What comes in blocks is hashed by a thread that reads the file again, right behind whoever writes. It looks by itself
whether there is more: two threads that hand each other every block were seen to take turns on one processor while
another stood idle (docs/decisions/005).
"""

import errno
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from storage.ports import CHUNK

NAP_SECONDS = 0.02
"""Between two looks. Before the second a fast line has brought some 20 MiB, which are still in memory."""


class Digest:
    """What is in one file, hashed up to where `grown` says that it was written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self.written = 0
        """So many bytes are in the file."""
        self._thread: ThreadPoolExecutor | None = None
        self._beside: Future[None] | None = None
        self._is_all = Event()
        self.hashed = 0
        """So many bytes need not be read again."""

    def grown(self, data: bytes | memoryview) -> None:
        """These bytes follow in the file by now."""
        if self._beside is None:
            self._hash.update(data)
            self.hashed += len(data)
        self.written += len(data)

    def beside(self) -> None:
        """What follows is hashed by the thread, until somebody asks for the hash."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1)
        if self._beside is None:
            self._is_all.clear()
            self._beside = self._thread.submit(self._follow)

    def hexdigest(self) -> str:
        """In lower-case hexadecimal, of all that was written. OSError where it cannot be read again."""
        self._is_all.set()
        if self._beside is not None:
            self._beside.result()
            self._beside = None
        return self._hash.hexdigest()

    def close(self) -> None:
        self._is_all.set()
        if self._thread is not None:
            self._thread.shutdown()

    def _follow(self) -> None:
        room = memoryview(bytearray(CHUNK))
        while True:
            is_all = self._is_all.wait(NAP_SECONDS)
            while (missing := self.written - self.hashed) > 0:
                count = os.preadv(self._descriptor, [room[:missing]], self.hashed)
                if not count:
                    raise OSError(errno.EIO, "The file has been cut short behind us.")
                self._hash.update(room[:count])
                self.hashed += count
            if is_all:
                return
