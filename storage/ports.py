"""The interface of every store. tests/contracts/storage runs against all of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import FileIO
from typing import Protocol

CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """A published blob: its address and size."""

    sha256: str
    size: int


@dataclass(frozen=True)
class StoredBlob:
    """A blob in a listing of the store. `published_at` is the last time that the same content was published."""

    sha256: str
    size: int
    published_at: datetime


class BlobWriter(Protocol):
    """A file being written. It has no address until it is published."""

    @property
    def size(self) -> int:
        """Bytes written, including those of an earlier attempt."""

    @property
    def sha256(self) -> str:
        """The hash so far, in lower-case hexadecimal."""

    def write(self, data: bytes) -> None:
        """Append. Raises StorageFullError or StorageFailedError."""

    def buffer(self) -> memoryview:
        """A buffer of CHUNK bytes for the next block, to be appended with `advance` without a copy."""

    def advance(self, count: int) -> None:
        """Append the first `count` bytes of the buffer. An error of a background flush is raised by a later call."""

    def pieces(self) -> Iterator[bytes]:
        """The content so far, from the start."""

    def restart(self) -> None:
        """Discard the content so far and start again at 0."""

    def publish(self) -> Blob:
        """Make the content durable under its address. No method may be called afterwards."""


class BlobReader(Protocol):
    """A published blob, open for reading."""

    @property
    def size(self) -> int: ...

    @property
    def file(self) -> FileIO | None:
        """The open file, if it is on this machine."""

    def read(self, size: int = CHUNK) -> bytes:
        """At most `size` bytes; none at the end."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Read into the buffer; returns the number of bytes, 0 at the end."""

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of 1 MiB up to the end."""


class BlobStream(Protocol):
    """A published blob being sent; the sender closes it. In a local store it is the open file itself."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""

    def close(self) -> None: ...


class BlobStore(Protocol):
    """Content-addressed storage. A `sha256` that is not 64 hexadecimal digits raises ValueError."""

    def writer(self, expected_size: int | None = None) -> AbstractContextManager[BlobWriter]:
        """A new file, discarded on exit unless published. With a size, space for all of it is reserved."""

    def partial(self, token: str, expected_size: int | None = None) -> AbstractContextManager[BlobWriter]:
        """The resumable file of a token: kept on exit unless published, and continued when opened again.

        Raises StorageFullError, and discards the content so far, if there is no space for the whole file. Raises
        PartialBusyError if another process has it open. The lock ends with the process that holds it.
        """

    def forget(self, token: str) -> None:
        """Discard the partial file of a token. Raises PartialBusyError while it is being written."""

    def open(
        self, sha256: str, start: int = 0, *, verify: bool = False
    ) -> AbstractContextManager[BlobReader]:
        """Read a blob. With `verify`, which needs `start` 0, the last bytes are returned only if the hash matches."""

    def stream(self, sha256: str, start: int = 0) -> BlobStream:
        """The bytes from `start` to the end, for a response that outlives its view. Raises BlobMissingError."""

    def check(self) -> None:
        """Raise StorageError if the store cannot be read."""

    def exists(self, sha256: str) -> bool: ...

    def size(self, sha256: str) -> int:
        """Size in bytes. Raises BlobMissingError."""

    def verify(self, sha256: str) -> None:
        """Read the whole blob. Raises BlobDamagedError if it does not match its address."""

    def delete(self, sha256: str, *, unused_for: timedelta = timedelta(0)) -> bool:
        """Delete a blob unless its content was published within `unused_for`. Returns whether it is gone."""

    def blobs(self) -> Iterator[StoredBlob]:
        """Every blob, in no particular order."""

    def sweep(self, older_than: timedelta) -> int:
        """Remove partial files that are not being written and are older. Returns how many."""
