"""Files being written: temporary names, one lock each, hashed while they are written.

Full blocks are hashed in the background. Writeback of each block starts at once and the file is flushed at intervals,
so that the final flush has little left to do; blocks that are flushed and hashed are dropped from the page cache. A
flush writes out the dirty pages of every file, so while several files are written each block is flushed at once:
otherwise a database commit would wait for the blocks of all of them.

Both stores use this folder. A finished file leaves it through the store's `publish`; an unpublished one is discarded,
or kept if it has a token by which it can be resumed. If the size is known, space for the whole file is reserved
before its first byte and stays reserved while the file is kept.
"""

import fcntl
import mmap
import os
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.digests import Digest
from storage.errors import PartialBusyError, StorageError, StorageFullError, disk_errors
from storage.names import partial_name
from storage.ports import CHUNK, Blob
from storage.reading import Reader
from storage.space import reserve

FLUSH_EVERY = 16 * CHUNK
"""Flush interval in bytes while a single file is being written."""
_DISK_LOCK = threading.Lock()
"""One full block keeps a disk busy. With sixteen in its queue, database commits would wait behind all of them."""
_IN_PROGRESS: set["Partial"] = set()
"""The files that this process is writing."""

Publish = Callable[["Partial", Blob], None]
"""Moves a finished file to its address."""


class Incoming:
    """The folder of unfinished files."""

    def __init__(self, folder: Path, publish: Publish) -> None:
        self._folder = folder
        self._publish = publish
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
    def resumable(self, token: str, expected_size: int | None) -> Iterator["Partial"]:
        with self._open(self._folder / partial_name(token), expected_size) as partial:
            yield partial

    def forget(self, token: str) -> None:
        self._remove(self._folder / partial_name(token))

    def sweep(self, older_than: timedelta) -> int:
        """Remove files older than this; returns how many. A file in use is locked and stays."""
        limit = time.time() - older_than.total_seconds()
        swept = 0
        with disk_errors():
            leftovers = [path for path in self._folder.iterdir() if path.suffix in (".part", ".new")]
        for path in leftovers:
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
            partial = Partial(descriptor, path, self._publish)
            _IN_PROGRESS.add(partial)
            try:
                if expected_size is not None:
                    partial.reserve(expected_size)
                yield partial
            except StorageFullError:
                # Two files that wait for each other's space would deadlock: one that lacks space gives up its own.
                partial.discard()
                raise
            finally:
                _IN_PROGRESS.discard(partial)
                partial.close()
        finally:
            os.close(descriptor)


class SpooledStore(ABC):
    """What both stores share: files are written in `_incoming`, and blobs are verified by reading them."""

    _incoming: Incoming

    def writer(self, expected_size: int | None = None) -> AbstractContextManager["Partial"]:
        return self._incoming.new(expected_size)

    def partial(self, token: str, expected_size: int | None = None) -> AbstractContextManager["Partial"]:
        return self._incoming.resumable(token, expected_size)

    def forget(self, token: str) -> None:
        self._incoming.forget(token)

    def sweep(self, older_than: timedelta) -> int:
        return self._incoming.sweep(older_than)

    @abstractmethod
    def open(
        self, sha256: str, start: int = 0, *, verify: bool = False
    ) -> AbstractContextManager[Reader]: ...

    def verify(self, sha256: str) -> None:
        with self.open(sha256, verify=True) as reader:
            for _ in reader:
                pass


class Partial:
    """One file being written, under its lock."""

    def __init__(self, descriptor: int, path: Path, publish: Publish) -> None:
        self.path = path
        self._descriptor = descriptor
        self._publish = publish
        self._open = True
        self._expected: int | None = None
        self._digest = Digest(descriptor)
        with disk_errors():
            while data := os.read(descriptor, CHUNK):
                self._digest.update(data)
        self._buffer: memoryview | None = None
        self._flusher: ThreadPoolExecutor | None = None
        self._flushing: Future[None] | None = None
        self._failed: StorageError | None = None

    @property
    def size(self) -> int:
        return self._digest.written

    @property
    def sha256(self) -> str:
        self._wait_for_flush()
        with disk_errors():
            return self._digest.hexdigest()

    def reserve(self, size: int) -> None:
        """Reserve space for the whole file. Raises StorageFullError."""
        self._expected = size
        reserve(self.path.parent, self._descriptor, size)

    def buffer(self) -> memoryview:
        self._require_open()
        if self._buffer is None:
            # Mapped memory returns to the system as soon as it is unused.
            self._buffer = memoryview(mmap.mmap(-1, CHUNK))
        return self._buffer

    def advance(self, count: int) -> None:
        """Less than a full block means a slow connection or the end of the file."""
        block = self.buffer()[:count]
        if count < CHUNK:
            self.write(block)
        else:
            self._digest.hash_in_background()
            self._append_block(block)

    def write(self, data: bytes | memoryview) -> None:
        self._require_open()
        view = memoryview(data)
        with disk_errors():
            while view:
                written = os.write(self._descriptor, view)
                # Count what was written even if the rest of the chunk then fails: size and hash always describe
                # what is in the file.
                self._digest.update(view[:written])
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
        self._wait_for_flush()
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
        self._publish(self, blob)
        self.discard()
        return blob

    def flush(self) -> None:
        """Make the content durable."""
        self._sync(os.fsync)
        self._raise_flush_error()

    def discard(self) -> None:
        """Remove the temporary name. A published file has its own name by then."""
        if self._open:
            self._open = False
            with suppress(OSError):  # left for the sweep
                self.path.unlink()

    def close(self) -> None:
        """Wait for background work and release the file."""
        self._digest.close()
        if self._flusher is not None:
            self._flusher.shutdown()
        if self._failed is not None:
            # After a failed fsync the content on disk is unknown, so it must not be resumed.
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)

    def _append_block(self, block: memoryview) -> None:
        """Write a full block and keep the disk from falling behind."""
        at = self.size
        with _DISK_LOCK:
            self.write(block)
            if not _is_only_file():
                self._flush_early()
                return
            self._drop_from_cache(at, CHUNK)
        if self.size // FLUSH_EVERY > at // FLUSH_EVERY and (self._flushing is None or self._flushing.done()):
            self._flusher = self._flusher or ThreadPoolExecutor(1)
            self._flushing = self._flusher.submit(self._flush_early)

    def _flush_early(self) -> None:
        self._sync(os.fdatasync)
        self._drop_from_cache(0, self._digest.hashed)

    def _sync(self, act: Callable[[int], None]) -> None:
        """Flush. An error is raised by the next call and by all that follow."""
        try:
            with disk_errors():
                act(self._descriptor)
        except StorageError as error:
            self._failed = error

    def _drop_from_cache(self, at: int, count: int) -> None:
        """Start writeback of a range and drop its clean pages from the page cache."""
        if count:  # 0 would mean the whole file, including what is not hashed yet
            os.posix_fadvise(self._descriptor, at, count, os.POSIX_FADV_DONTNEED)

    def _wait_for_flush(self) -> None:
        if self._flushing is not None:
            self._flushing.result()
        self._raise_flush_error()

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("this file has already been published or discarded")
        self._raise_flush_error()

    def _raise_flush_error(self) -> None:
        if self._failed is not None:
            raise self._failed


def _is_only_file() -> bool:
    return len(_IN_PROGRESS) == 1


def _locked(path: Path) -> int:
    """Open the file under an exclusive lock. Raises PartialBusyError.

    The file may have been published or swept between opening and locking it; the lock is then on an unlinked file, and
    the next iteration creates a new one. A file with a second link was published before its writer was killed: it
    must not be written to.
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
