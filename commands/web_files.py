"""Downloads: the server's loop sends files piece by piece, so that no thread waits for a slow reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.task import ThreadedTaskDispatcher

SHARE = 1024 * 1024
"""Bytes of one file that are sent before the loop serves other connections."""
PIECE = 1024 * 1024
FETCHERS = 8


class File(Protocol):
    """The body of a response: an open file, or a stream that can only be read forwards."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


def outgoing(file: Any, wake: Callable[[], None]) -> ReadOnlyFileBasedBuffer:
    """The buffer that the server sends for this file. `wake` makes the loop check it again."""
    seekable = getattr(file, "seekable", None)
    return LocalFile(file) if seekable and seekable() else RemoteFile(file, wake)


class LocalFile(ReadOnlyFileBasedBuffer):
    """A local file. After each share it returns nothing once: a fast reader would block the loop."""

    taken = 0

    def get(self, numbytes: int = -1, skip: bool = False) -> bytes:
        if self.taken >= SHARE:
            self.taken = 0
            return b""
        data: bytes = super().get(numbytes, skip)
        if not data and self.remain:
            raise OSError("The file has become shorter while it was sent.")
        return data

    def skip(self, numbytes: int, allow_prune: int = 0) -> None:
        self.taken += numbytes
        super().skip(numbytes, allow_prune)


class RemoteFile(ReadOnlyFileBasedBuffer):
    """A file in an object store. A few threads fetch the next piece when the previous one has been sent."""

    def __init__(self, file: File, wake: Callable[[], None]) -> None:
        super().__init__(file)
        self._wake = wake
        self._piece = memoryview(b"")
        self._error: Exception | None = None
        self._closed = False
        self.waiting = False

    def prepare(self, size: int | None = None) -> int:
        self.remain = size or 0
        return self.remain

    def get(self, numbytes: int = -1, skip: bool = False) -> bytes:
        if self.waiting:
            return b""
        if self._error is not None:
            raise OSError("The rest of the file could not be fetched.") from self._error
        if not self._piece:
            self.waiting = True
            _pool().add_task(self)
            return b""
        return bytes(self._piece[: numbytes if numbytes >= 0 else None])

    def skip(self, numbytes: int, allow_prune: int = 0) -> None:
        self._piece = self._piece[numbytes:]
        self.remain -= numbytes

    def service(self) -> None:
        """In a thread of the pool: fetch the next piece."""
        try:
            piece = self.file.read(min(PIECE, self.remain))
            if not piece:
                raise EOFError("The file ended before its end.")
            self._piece = memoryview(piece)
        except Exception as error:
            self._error = error
        self.waiting = False
        if self._closed:
            self.file.close()
        self._wake()

    def cancel(self) -> None:
        """Called when the pool shuts down."""

    def close(self) -> None:
        self._closed = True
        self.remain = 0
        if not self.waiting:
            self.file.close()


_fetching: ThreadedTaskDispatcher | None = None


def _pool() -> ThreadedTaskDispatcher:
    """Created at first use: threads do not survive a fork."""
    global _fetching
    if _fetching is None:
        _fetching = ThreadedTaskDispatcher()
        _fetching.set_thread_count(FETCHERS)
    return _fetching
