"""Files on their way in: temporary names, a lock each, hashed while they are written.

What comes in full blocks is hashed beside whoever brings it. The disk begins with each block at once, and is told to
flush now and then, so that the flush at the end finds little left to do; what is flushed and hashed leaves the page
cache, which it would only fill. A disk that flushes writes down what anybody has left to it. So where several files
come in at once each block is flushed as it comes: a commit of the database would wait for the blocks of them all.

Both stores use this folder. A published file leaves it through the store's own `place`; one that was
left unpublished is discarded, or kept when it has a token under which it can be continued. Where its size is known
the room for all of it is set aside before its first byte, and stays so while it is kept.
"""

import fcntl
import mmap
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.digests import Digest
from storage.errors import PartialBusyError, StorageError, StorageFullError, disk_errors
from storage.names import partial_name
from storage.ports import CHUNK, Blob
from storage.space import reserve

FLUSHED_BY = 16 * CHUNK
"""So much of a file that comes alone is flushed at a time."""
_AT_THE_DISK = threading.Lock()
"""One full block keeps a disk busy. With sixteen in its queue the database's commits would wait behind them all."""
_COMING: set["Partial"] = set()
"""The files on their way into this process just now."""

Place = Callable[["Partial", Blob], None]
"""Moves a finished file to its address."""


class Incoming:
    """The folder of unfinished files."""

    def __init__(self, folder: Path, place: Place) -> None:
        self._folder = folder
        self._place = place
        with disk_errors():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def new(self, expected_size: int | None) -> Iterator["Partial"]:
        with self._open(self._folder / f"{uuid.uuid4().hex}.new", expected_size) as partial:
            try:
                yield partial
            finally:
                partial.discard()

    @contextmanager
    def of_token(self, token: str, expected_size: int | None) -> Iterator["Partial"]:
        with self._open(self._folder / partial_name(token), expected_size) as partial:
            yield partial

    def forget(self, token: str) -> None:
        self._remove(self._folder / partial_name(token))

    def sweep(self, older_than: timedelta) -> int:
        """A file in use keeps its lock, so only what nobody holds is removed."""
        limit = time.time() - older_than.total_seconds()
        swept = 0
        with disk_errors():
            left_over = [path for path in self._folder.iterdir() if path.suffix in (".part", ".new")]
        for path in left_over:
            with suppress(PartialBusyError, FileNotFoundError):
                if path.stat().st_mtime <= limit:
                    swept += self._remove(path)
        return swept

    def _remove(self, path: Path) -> bool:
        if not path.exists():
            return False
        with disk_errors():
            descriptor = _locked(path)
            try:
                path.unlink()
            finally:
                os.close(descriptor)
        return True

    @contextmanager
    def _open(self, path: Path, expected_size: int | None) -> Iterator["Partial"]:
        with disk_errors():
            descriptor = _locked(path)
        try:
            partial = Partial(descriptor, path, self._place)
            _COMING.add(partial)
            try:
                if expected_size is not None:
                    partial.reserve(expected_size)
                yield partial
            except StorageFullError:
                # Two that wait for each other's room would wait for ever: whoever lacks some gives up its own.
                partial.discard()
                raise
            finally:
                _COMING.discard(partial)
                partial.close()
        finally:
            os.close(descriptor)


class Partial:
    """One file on its way in, held under its lock."""

    def __init__(self, descriptor: int, path: Path, place: Place) -> None:
        self.path = path
        self._descriptor = descriptor
        self._place = place
        self._open = True
        self._expected: int | None = None
        self._digest = Digest(descriptor)
        with disk_errors():
            while data := os.read(descriptor, CHUNK):
                self._digest.grown(data)
        self._room: memoryview | None = None
        self._flusher: ThreadPoolExecutor | None = None
        self._flushing: Future[None] | None = None
        self._failed: StorageError | None = None

    @property
    def size(self) -> int:
        return self._digest.written

    @property
    def sha256(self) -> str:
        self._settle()
        with disk_errors():
            return self._digest.hexdigest()

    def reserve(self, size: int) -> None:
        """Set room aside for the whole file. StorageFullError where there is none."""
        self._expected = size
        reserve(self.path.parent, self._descriptor, size)

    def room(self) -> memoryview:
        self._require_open()
        if self._room is None:
            # Mapped memory: the system has it back as soon as nobody uses it.
            self._room = memoryview(mmap.mmap(-1, CHUNK))
        return self._room

    def took(self, count: int) -> None:
        """What is less than a full block came slowly, or is the end."""
        block = self.room()[:count]
        if count < CHUNK:
            self.write(block)
        else:
            self._digest.beside()
            self._put(block)

    def write(self, data: bytes | memoryview) -> None:
        self._require_open()
        view = memoryview(data)
        with disk_errors():
            while view:
                written = os.write(self._descriptor, view)
                # What the disk took counts, even when the rest of the chunk then fails: size and hash
                # always tell what is in the file.
                self._digest.grown(view[:written])
                view = view[written:]

    def pieces(self) -> Iterator[bytes]:
        at = 0
        while at < self.size:
            with disk_errors():
                data = os.pread(self._descriptor, min(CHUNK, self.size - at), at)
            if not data:
                return
            yield data
            at += len(data)

    def restart(self) -> None:
        self._require_open()
        self._settle()
        self._digest.close()
        with disk_errors():
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._digest = Digest(self._descriptor)
        if self._expected is not None:
            self.reserve(self._expected)

    def publish(self) -> Blob:
        self._require_open()
        blob = Blob(self.sha256, self.size)
        self._place(self, blob)
        self.discard()
        return blob

    def flush(self) -> None:
        """Make durable what is there."""
        self._sync(os.fsync)
        self._require_sound()

    def discard(self) -> None:
        """Take the file away. What is published has its own name by then."""
        if self._open:
            self._open = False
            with suppress(OSError):  # what cannot be removed now, the sweep removes
                self.path.unlink()

    def close(self) -> None:
        """Wait for what is under way."""
        self._digest.close()
        if self._flusher is not None:
            self._flusher.shutdown()
        if self._failed is not None:
            # After a failed flush nobody knows what is on the disk, so nothing may be built on it.
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)

    def _put(self, block: memoryview) -> None:
        """Write a full block, and see to it that the disk does not fall behind."""
        at = self.size
        with _AT_THE_DISK:
            self.write(block)
            if not _comes_alone():
                self._flush_early()
                return
            self._hand_on(at, CHUNK)
        if self.size // FLUSHED_BY > at // FLUSHED_BY and (self._flushing is None or self._flushing.done()):
            self._flusher = self._flusher or ThreadPoolExecutor(1)
            self._flushing = self._flusher.submit(self._flush_early)

    def _flush_early(self) -> None:
        self._sync(os.fdatasync)
        self._hand_on(0, self._digest.hashed)

    def _sync(self, act: Callable[[int], None]) -> None:
        """A refusal is told at the next call, and nothing follows it."""
        try:
            with disk_errors():
                act(self._descriptor)
        except StorageError as error:
            self._failed = error

    def _hand_on(self, at: int, count: int) -> None:
        """The disk begins with what it does not have yet, and what it has leaves the page cache."""
        if count:  # 0 would mean all, and what is not hashed yet is to stay
            os.posix_fadvise(self._descriptor, at, count, os.POSIX_FADV_DONTNEED)

    def _settle(self) -> None:
        if self._flushing is not None:
            self._flushing.result()
        self._require_sound()

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("this file has been published or discarded already")
        self._require_sound()

    def _require_sound(self) -> None:
        if self._failed is not None:
            raise self._failed


def _comes_alone() -> bool:
    return len(_COMING) == 1


def _locked(path: Path) -> int:
    """Open the file under an exclusive lock, or PartialBusyError.

    The file may have been published or swept between opening and locking it; then the lock is on a file
    without a name, and the next round makes a new one. What has its address and kept this name, since its writer
    was killed, is a document: nobody writes on in it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, descriptor):
                if os.fstat(descriptor).st_nlink == 1:
                    return descriptor
                path.unlink()
        except BlockingIOError:
            os.close(descriptor)
            raise PartialBusyError from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False
