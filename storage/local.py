"""The store on a local disk: file flushed, hard-linked under its address, folder flushed.

After a power cut a blob is either complete or absent. Files have mode 0600 and folders 0700.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

from storage.errors import BlobMissingError, disk_errors
from storage.incoming import Incoming, Partial, SpooledStore
from storage.names import address_of, key_of
from storage.ports import Blob, StoredBlob
from storage.reading import Reader


class LocalStore(SpooledStore):
    """Blobs in a folder: `sha256/ab/cdef…`, with `incoming/` beside them on the same file system."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with disk_errors():
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._incoming = Incoming(root / "incoming", self._publish)

    @contextmanager
    def open(self, sha256: str, start: int = 0, *, verify: bool = False) -> Iterator[Reader]:
        with self._open_file(sha256) as file:
            file.seek(start)
            yield Reader(file, sha256, os.fstat(file.fileno()).st_size, start, verify=verify)

    def stream(self, sha256: str, start: int = 0) -> FileIO:
        file = self._open_file(sha256)
        file.seek(start)
        return file

    def check(self) -> None:
        with disk_errors(), os.scandir(self._root) as entries:
            next(entries, None)

    def exists(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    def size(self, sha256: str) -> int:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise BlobMissingError from None

    def delete(self, sha256: str, *, unused_for: timedelta = timedelta(0)) -> bool:
        path = self._path(sha256)
        with disk_errors(), self._publish_lock():
            try:
                age = time.time() - path.stat().st_mtime
            except FileNotFoundError:
                return True
            if age < unused_for.total_seconds():
                return False
            path.unlink()
        return True

    def blobs(self) -> Iterator[StoredBlob]:
        for path in self._root.glob("sha256/??/*"):
            address = address_of(path.as_posix())
            if address is None:
                continue
            try:
                facts = path.stat()
            except FileNotFoundError:  # deleted meanwhile
                continue
            yield StoredBlob(address, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def _path(self, sha256: str) -> Path:
        return self._root / key_of(sha256)

    def _open_file(self, sha256: str) -> FileIO:
        try:
            return self._path(sha256).open("rb", buffering=0)
        except FileNotFoundError:
            raise BlobMissingError from None

    def _publish(self, partial: Partial, blob: Blob) -> None:
        final = self._path(blob.sha256)
        partial.flush()
        with disk_errors():
            _make_folder(final.parent)
            try:
                os.link(partial.path, final)
            except FileExistsError:
                with self._publish_lock():
                    _keep_existing(partial.path, final, blob.size)
            _flush_folder(final.parent)

    @contextmanager
    def _publish_lock(self) -> Iterator[None]:
        """Serialises publishing a blob that already exists with deleting it."""
        lock = os.open(self._root / "gate.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _keep_existing(path: Path, final: Path, size: int) -> None:
    """Renew the date of an existing blob, so that it is not deleted; replace one of the wrong size."""
    try:
        if final.stat().st_size == size:
            os.utime(final)
            return
    except FileNotFoundError:
        pass  # deleted meanwhile
    path.replace(final)


def _make_folder(folder: Path) -> None:
    for each in (folder.parent, folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)
            _flush_folder(each.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
