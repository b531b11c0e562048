"""The store in an object store (S3 and compatible services).

An object store has no rename, and an upload cannot be resumed after a crash. A file is therefore written to a local
spool folder first, where it is hashed and locked, and then put under its address in one atomic request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError

from storage.errors import BlobMissingError, StorageFailedError
from storage.incoming import Incoming, Partial, SpooledStore
from storage.names import address_of, key_of
from storage.ports import Blob, StoredBlob
from storage.reading import Reader

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import ObjectStore

PART_SIZE = 8 << 20
MAX_CONCURRENCY = 3
EMPTY_PREFIX = "no-objects-here"
RENEW_AFTER = timedelta(hours=1)
"""Content that arrives again is put again if the object is older than this, which renews its date."""


class ObjectBlobStore(SpooledStore):
    """Blobs as objects `sha256/ab/cdef…` under a bucket and prefix."""

    def __init__(self, store: "ObjectStore", spool: Path) -> None:
        self._store = store
        self._incoming = Incoming(spool, self._publish)

    @contextmanager
    def open(self, sha256: str, start: int = 0, *, verify: bool = False) -> Iterator[Reader]:
        file = self._file(sha256, start)
        yield Reader(_Remote(file), sha256, file.size, start, verify=verify)

    def stream(self, sha256: str, start: int = 0) -> "_Remote":
        return _Remote(self._file(sha256, start))

    def check(self) -> None:
        # A HEAD request cannot tell a missing bucket from a missing object; a listing can.
        with _remote_errors():
            next(iter(obstore.list(self._store, EMPTY_PREFIX)), None)

    def exists(self, sha256: str) -> bool:
        try:
            self.size(sha256)
        except BlobMissingError:
            return False
        return True

    def size(self, sha256: str) -> int:
        key = key_of(sha256)
        with _remote_errors():
            return obstore.head(self._store, key)["size"]

    def delete(self, sha256: str, *, unused_for: timedelta = timedelta(0)) -> bool:
        key = key_of(sha256)
        try:
            with _remote_errors():
                published = obstore.head(self._store, key)["last_modified"]
                if datetime.now(UTC) - published < unused_for:
                    return False
                obstore.delete(self._store, key)
        except BlobMissingError:
            pass
        return True

    def blobs(self) -> Iterator[StoredBlob]:
        with _remote_errors():
            for page in obstore.list(self._store, "sha256"):
                for meta in page:
                    address = address_of(meta["path"])
                    if address is not None:
                        yield StoredBlob(address, meta["size"], meta["last_modified"])

    def _file(self, sha256: str, start: int = 0) -> "ReadableFile":
        key = key_of(sha256)
        with _remote_errors():
            file = obstore.open_reader(self._store, key, buffer_size=PART_SIZE)
            file.seek(min(start, file.size))
            return file

    def _publish(self, partial: Partial, blob: Blob) -> None:
        key = key_of(blob.sha256)
        if self._is_recent(key, blob.size):
            return
        try:
            with _remote_errors():
                obstore.put(
                    self._store, key, partial.path, chunk_size=PART_SIZE, max_concurrency=MAX_CONCURRENCY
                )
            # Check that the store has the object before a row refers to it.
            stored = self.size(blob.sha256)
        except BlobMissingError:
            raise StorageFailedError from None
        if stored != blob.size:
            raise StorageFailedError

    def _is_recent(self, key: str, size: int) -> bool:
        try:
            with _remote_errors():
                meta = obstore.head(self._store, key)
        except BlobMissingError:
            return False
        return meta["size"] == size and datetime.now(UTC) - meta["last_modified"] < RENEW_AFTER


class _Remote:
    """An object opened for reading, as bytes and with StorageError."""

    def __init__(self, file: "ReadableFile") -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        with _remote_errors():
            return bytes(self._file.read(size) if size >= 0 else self._file.read())

    def close(self) -> None:
        self._file.close()

    def readinto(self, buffer: memoryview, /) -> int:
        with _remote_errors():
            data = memoryview(self._file.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _remote_errors() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise BlobMissingError from None
    except (BaseError, OSError) as error:
        raise StorageFailedError from error
