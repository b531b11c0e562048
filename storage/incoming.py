"""Files on their way in: temporary names, a lock each, hashed while they are written.

What comes in full blocks is hashed and written beside whoever brings it, and past the page cache, which it would only
fill: the flush at the end then finds little left to do. A disk that is told to flush writes down what anybody has left
to it. So where several files come in at once each full block is flushed as it comes: a commit of the database would
wait for the blocks of them all.

Both stores use this folder. A published file leaves it through the store's own `place`; one that was
left unpublished is discarded, or kept when it has a token under which it can be continued.
"""

import errno
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
        self._failed: StorageError | None = None
        self._direct: bool | None = False
        """Whether the page cache is passed by; None where this disk does not let it."""

    @property
    def size(self) -> int:
        return self._size

    @property
    def sha256(self) -> str:
        self._settle(self._beside)
        return self._hash.hexdigest()

    def room(self) -> memoryview:
        self._require_open()
        if not self._rooms:
            self._rooms.append(_aligned())
        return self._rooms[0][: CHUNK - self._size % CHUNK]

    def took(self, count: int) -> None:
        """A full block is put away beside, while the next room is filled. Less came slowly, or is the end."""
        block = self._rooms[0][:count]
        if count < CHUNK:
            self.write(block)
            return
        if not self._threads:
            self._threads = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
            self._rooms.extend([_aligned(), _aligned()])
        self._go_direct(True)
        self._size += count
        hashing, putting = self._threads
        before = self._beside
        self._beside = [hashing.submit(self._hash.update, block), putting.submit(self._put, block)]
        self._settle(before)
        self._rooms.rotate(-1)

    def write(self, data: bytes | memoryview) -> None:
        self._require_open()
        self._settle(self._beside)
        self._go_direct(False)
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

    def _settle(self, beside: list[Future[None]]) -> None:
        for each in beside:
            each.result()
        if self._failed is not None:
            raise self._failed

    def _put(self, block: memoryview) -> None:
        if self._failed is not None:
            return
        try:
            with _AT_THE_DISK, disk_errors():
                while block:
                    block = block[self._write_some(block) :]
                if len(_COMING) > 1:
                    os.fdatasync(self._descriptor)
        except StorageError as error:
            self._failed = error

    def _write_some(self, block: memoryview) -> int:
        try:
            return os.write(self._descriptor, block)
        except OSError as error:
            if error.errno != errno.EINVAL or not self._direct:
                raise
        self._go_direct(None)
        return os.write(self._descriptor, block)

    def _go_direct(self, direct: bool | None) -> None:
        if direct == self._direct or self._direct is None:
            return
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL) & ~os.O_DIRECT
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | os.O_DIRECT if direct else flags)
            self._direct = direct
        except OSError:
            self._direct = None

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("this file has been published or discarded already")


def _aligned() -> memoryview:
    """Memory that begins at a page, as a disk wants it that is written to past the page cache."""
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
