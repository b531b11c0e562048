"""Files on their way in: temporary names, a lock each, hashed while they are written.

What comes in full blocks is hashed and written beside whoever brings it. The disk begins with each block at once, and
is told to flush now and then, so that the flush at the end finds little left to do; what is flushed leaves the page
cache, which it would only fill. A disk that flushes writes down what anybody has left to it. So where several files
come in at once each block is flushed as it comes: a commit of the database would wait for the blocks of them all.

Both stores use this folder. A published file leaves it through the store's own `place`; one that was
left unpublished is discarded, or kept when it has a token under which it can be continued.
"""

import fcntl
import hashlib
import mmap
import os
import shutil
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.errors import PartialBusy, StorageError, StorageFull, disk_errors
from storage.names import partial_name
from storage.ports import CHUNK, Blob

FLUSHED_BY = 16 * CHUNK
"""So much of a file that comes alone is flushed at a time."""
_AT_THE_DISK = threading.Lock()
"""One full block keeps a disk busy. With sixteen in its queue the database's commits would wait behind them all."""
_COMING: set["Partial"] = set()
"""The files on their way into this process just now."""

Place = Callable[[int, Path, Blob], None]
"""Moves a finished file to its address: (its descriptor, its path, what it is)."""


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
            with suppress(PartialBusy, FileNotFoundError):
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
            if expected_size is not None:
                self._require_room(expected_size - partial.size, partial)
            _COMING.add(partial)
            try:
                yield partial
            finally:
                _COMING.discard(partial)
                partial.close()
        finally:
            os.close(descriptor)

    def _require_room(self, wanted: int, partial: "Partial") -> None:
        with disk_errors():
            free = shutil.disk_usage(self._folder).free
        if wanted > free:
            if partial.size == 0:
                partial.discard()
            raise StorageFull


class Partial:
    """One file on its way in, held under its lock."""

    def __init__(self, descriptor: int, path: Path, place: Place) -> None:
        self._descriptor = descriptor
        self._path = path
        self._place = place
        self._open = True
        self._hash = hashlib.sha256()
        self._size = 0
        with disk_errors():
            while data := os.read(descriptor, CHUNK):
                self._hash.update(data)
                self._size += len(data)
        self._rooms: deque[memoryview] = deque()
        self._threads: list[ThreadPoolExecutor] = []
        self._beside: list[Future[None]] = []
        self._flushing: list[Future[None]] = []
        self._failed: StorageError | None = None
        self._is_doubtful = False

    @property
    def size(self) -> int:
        return self._size

    @property
    def sha256(self) -> str:
        self._settle([*self._beside, *self._flushing])
        return self._hash.hexdigest()

    def room(self) -> memoryview:
        self._require_open()
        if not self._rooms:
            self._rooms.append(_room())
        return self._rooms[0]

    def took(self, count: int) -> None:
        """A full block is put away beside, while the next room is filled. Less came slowly, or is the end."""
        block = self._rooms[0][:count]
        if count < CHUNK:
            self.write(block)
            return
        if not self._threads:
            self._threads = [ThreadPoolExecutor(1), ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
            self._rooms.extend([_room(), _room()])
        at = self._size
        self._size += count
        hashing, putting, flushing = self._threads
        before = self._beside
        self._beside = [
            hashing.submit(self._hash.update, block),
            putting.submit(self._attempt, self._put, block, at),
        ]
        if _comes_alone() and self._size // FLUSHED_BY > at // FLUSHED_BY:
            self._flushing = [flushing.submit(self._attempt, self._flush)]
        self._settle(before)
        self._rooms.rotate(-1)

    def write(self, data: bytes | memoryview) -> None:
        self._require_open()
        self._settle(self._beside)
        view = memoryview(data)
        with disk_errors():
            while view:
                written = os.write(self._descriptor, view)
                # What the disk took is hashed, even when the rest of the chunk then fails: size and hash
                # always tell what is in the file.
                self._hash.update(view[:written])
                self._size += written
                view = view[written:]

    def restart(self) -> None:
        self._require_open()
        self._settle(self._beside)
        with disk_errors():
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self._size = 0

    def publish(self) -> Blob:
        self._require_open()
        blob = Blob(self.sha256, self._size)
        self._place(self._descriptor, self._path, blob)
        self.discard()
        return blob

    def discard(self) -> None:
        """Take the file away. What is published has its own name by then."""
        if self._open:
            self._open = False
            with suppress(OSError):  # what cannot be removed now, the sweep removes
                self._path.unlink()

    def close(self) -> None:
        """Wait for what is under way. Of a block that failed nothing follows, and whoever goes on begins there."""
        for each in self._threads:
            each.shutdown()
        if self._is_doubtful:
            # After a failed flush nobody knows what is on the disk, so nothing may be built on it.
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)

    def _settle(self, beside: list[Future[None]]) -> None:
        for each in beside:
            each.result()
        if self._failed is not None:
            raise self._failed

    def _attempt(self, act: Callable[..., None], *arguments: object) -> None:
        """What fails beside is told with the next block, and nothing follows it."""
        if self._failed is not None:
            return
        try:
            with disk_errors():
                act(*arguments)
        except StorageError as error:
            self._failed = error

    def _put(self, block: memoryview, at: int) -> None:
        with _AT_THE_DISK:
            while block:
                block = block[os.write(self._descriptor, block) :]
            if _comes_alone():
                self._hand_on(at, CHUNK)
            else:
                self._flush()

    def _flush(self) -> None:
        try:
            os.fdatasync(self._descriptor)
        except OSError:
            self._is_doubtful = True
            raise
        self._hand_on(0, 0)

    def _hand_on(self, at: int, count: int) -> None:
        """The disk begins with what it does not have yet, and what it has leaves the page cache. 0: all."""
        os.posix_fadvise(self._descriptor, at, count, os.POSIX_FADV_DONTNEED)

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("this file has been published or discarded already")


def _comes_alone() -> bool:
    return len(_COMING) == 1


def _room() -> memoryview:
    """Memory that the system has back as soon as nobody uses it."""
    return memoryview(mmap.mmap(-1, CHUNK))


def _locked(path: Path) -> int:
    """Open the file under an exclusive lock, or PartialBusy.

    The file may have been published or swept between opening and locking it; then the lock is on a file
    without a name, and the next round makes a new one.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise PartialBusy from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False
