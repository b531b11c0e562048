"""The store in an object store (S3 and what speaks like it).

An object store has no rename and its writer cannot be continued after a crash, so a file is first written to
a local spool, where it has its hash and its lock, and then put whole under its address. The put is atomic.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError

from storage.errors import BlobMissingError, StorageFailedError
from storage.incoming import Incoming, Partial
from storage.names import address_of, key_of
from storage.ports import Blob, StoredBlob
from storage.reading import Reader

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import ObjectStore

PART = 8 << 20
PARTS_AT_ONCE = 3
NOWHERE = "nothing-lies-here"
FRESH = timedelta(hours=1)
"""Bytes that arrive again are put again when the object is older, so that its date tells it is in use."""


class Objects:
    """Blobs as objects `sha256/ab/cdef…` under a bucket and prefix."""

    def __init__(self, store: "ObjectStore", spool: Path) -> None:
        self._store = store
        self._incoming = Incoming(spool, self._place)

    def writer(self, expected_size: int | None = None) -> AbstractContextManager[Partial]:
        return self._incoming.new(expected_size)

    def partial(self, token: str, expected_size: int | None = None) -> AbstractContextManager[Partial]:
        return self._incoming.of_token(token, expected_size)

    def forget(self, token: str) -> None:
        self._incoming.forget(token)

    def sweep(self, older_than: timedelta) -> int:
        return self._incoming.sweep(older_than)

    @contextmanager
    def open(self, sha256: str, start: int = 0, *, verify: bool = False) -> Iterator[Reader]:
        file = self._file(sha256, start)
        yield Reader(_Remote(file), sha256, file.size, start, verify=verify)

    def stream(self, sha256: str, start: int = 0) -> "_Remote":
        return _Remote(self._file(sha256, start))

    def look(self) -> None:
        with (
            _remote_errors()
        ):  # a question about one object does not tell a missing bucket from a missing object
            next(iter(obstore.list(self._store, NOWHERE)), None)

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

    def verify(self, sha256: str) -> None:
        with self.open(sha256, verify=True) as reader:
            for _ in reader:
                pass

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
            file = obstore.open_reader(self._store, key, buffer_size=PART)
            file.seek(min(start, file.size))
            return file

    def _place(self, partial: Partial, blob: Blob) -> None:
        key = key_of(blob.sha256)
        if self._is_fresh(key, blob.size):
            return
        try:
            with _remote_errors():
                obstore.put(self._store, key, partial.path, chunk_size=PART, max_concurrency=PARTS_AT_ONCE)
            # A store that accepted the put and does not have it must not lead to a row without bytes.
            stored = self.size(blob.sha256)
        except BlobMissingError:
            raise StorageFailedError from None
        if stored != blob.size:
            raise StorageFailedError

    def _is_fresh(self, key: str, size: int) -> bool:
        try:
            with _remote_errors():
                meta = obstore.head(self._store, key)
        except BlobMissingError:
            return False
        return meta["size"] == size and datetime.now(UTC) - meta["last_modified"] < FRESH


class _Remote:
    """An object open for reading, with bytes and errors as everywhere else."""

    def __init__(self, file: "ReadableFile") -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        with _remote_errors():
            return bytes(self._file.read(size) if size >= 0 else self._file.read())

    def close(self) -> None:
        self._file.close()

    def readinto(self, room: memoryview, /) -> int:
        with _remote_errors():
            data = memoryview(self._file.read(len(room)))
        room[: len(data)] = data
        return len(data)


@contextmanager
def _remote_errors() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise BlobMissingError from None
    except (BaseError, OSError) as error:
        raise StorageFailedError from error
