"""The SHA-256 of a growing file.

Full blocks are hashed by a background thread that reads the file again, just behind the writer. The thread polls for
new data: two threads that hand each block over ran alternately on one core while another was idle (docs/decisions/005).
"""

import errno
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from storage.ports import CHUNK

POLL_SECONDS = 0.02
"""In this time a fast connection brings about 20 MiB, which are still in the page cache."""


class Digest:
    """The hash of one file, up to the size reported with `update`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self.written = 0
        """Bytes in the file."""
        self._thread: ThreadPoolExecutor | None = None
        self._background: Future[None] | None = None
        self._complete = Event()
        self.hashed = 0
        """Bytes hashed so far."""

    def update(self, data: bytes | memoryview) -> None:
        """These bytes have been appended to the file."""
        if self._background is None:
            self._hash.update(data)
            self.hashed += len(data)
        self.written += len(data)

    def hash_in_background(self) -> None:
        """Hash what follows in a background thread, until `hexdigest` is called."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1)
        if self._background is None:
            self._complete.clear()
            self._background = self._thread.submit(self._read_appended)

    def hexdigest(self) -> str:
        """Lower-case hexadecimal, of all bytes written. Raises OSError if they cannot be read again."""
        self._complete.set()
        if self._background is not None:
            self._background.result()
            self._background = None
        return self._hash.hexdigest()

    def close(self) -> None:
        self._complete.set()
        if self._thread is not None:
            self._thread.shutdown()

    def _read_appended(self) -> None:
        buffer = memoryview(bytearray(CHUNK))
        while True:
            complete = self._complete.wait(POLL_SECONDS)
            while (missing := self.written - self.hashed) > 0:
                count = os.preadv(self._descriptor, [buffer[:missing]], self.hashed)
                if not count:
                    raise OSError(errno.EIO, "The file was truncated while it was being hashed.")
                self._hash.update(buffer[:count])
                self.hashed += count
            if complete:
                return
