"""Files on their way in: temporary names, a lock each, hashed while they are written.

Both stores use this folder. A published file leaves it through the store's own `place`; one that was
left unpublished is discarded, or kept when it has a token under which it can be continued.
"""

import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.errors import PartialBusy, StorageFull, disk_errors
from storage.names import partial_name
from storage.ports import CHUNK, Blob

STRETCH = 16 * CHUNK

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
            try:
                yield partial
            finally:
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
        self._beside: ThreadPoolExecutor | None = None
        self._hashing: Future[None] | None = None
        self._size = 0
        with disk_errors():
            while data := os.read(descriptor, CHUNK):
                self._hash.update(data)
                self._size += len(data)
        self._flushing = self._size

    @property
    def size(self) -> int:
        return self._size

    @property
    def sha256(self) -> str:
        self._hashed()
        return self._hash.hexdigest()

    def _hash_while_more_comes(self, data: memoryview) -> None:
        """A large file is hashed beside whoever brings it; a small one is hashed sooner than a thread begins."""
        self._hashed()
        if self._size < CHUNK:
            self._hash.update(data)
            return
        if self._beside is None:
            self._beside = ThreadPoolExecutor(1)
        self._hashing = self._beside.submit(self._hash.update, data)

    def _hashed(self) -> None:
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None

    def close(self) -> None:
        if self._beside is not None:
            self._beside.shutdown()

    def write(self, data: bytes) -> None:
        self._require_open()
        view = memoryview(data)
        with disk_errors():
            while view:
                written = os.write(self._descriptor, view)
                # What the disk took is hashed, even when the rest of the chunk then fails: size and hash
                # always tell what is in the file.
                self._hash_while_more_comes(view[:written])
                self._size += written
                view = view[written:]
            self._begin_flushing()

    def _begin_flushing(self) -> None:
        """Have the disk begin with each stretch that is full: the flush at the end then finds little left to do."""
        while self._size - self._flushing >= STRETCH:
            os.posix_fadvise(self._descriptor, self._flushing, STRETCH, os.POSIX_FADV_DONTNEED)
            self._flushing += STRETCH

    def restart(self) -> None:
        self._require_open()
        with disk_errors():
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hashed()
        self._hash = hashlib.sha256()
        self._size = self._flushing = 0

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

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("this file has been published or discarded already")


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
