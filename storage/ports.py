"""The port every store keeps: one contract suite runs over all of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import FileIO
from typing import Protocol

CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """What was published: its address and its size."""

    sha256: str
    size: int


@dataclass(frozen=True)
class StoredBlob:
    """A blob as a walk over the store finds it. `published_at` is the last time the same bytes arrived."""

    sha256: str
    size: int
    published_at: datetime


class BlobWriter(Protocol):
    """A file on its way in. It has no address until it is published."""

    @property
    def size(self) -> int:
        """How many bytes are there, those of an earlier attempt included."""

    @property
    def sha256(self) -> str:
        """The hash so far, in lower-case hexadecimal."""

    def write(self, data: bytes) -> None:
        """Append. A full or failing disk raises StorageFullError or StorageFailedError."""

    def room(self) -> memoryview:
        """Where the next bytes may be put, to be told of by `took`: what comes in blocks need not be copied."""

    def took(self, count: int) -> None:
        """Append the first so many bytes of the room. What the disk says to a flush is told at a later call."""

    def pieces(self) -> Iterator[bytes]:
        """What is there so far, from its beginning."""

    def restart(self) -> None:
        """Drop what is there and begin again at nothing."""

    def publish(self) -> Blob:
        """Make the bytes durable and give them their address. The last thing a writer does."""


class BlobReader(Protocol):
    """A published blob, open for reading."""

    @property
    def size(self) -> int: ...

    @property
    def file(self) -> FileIO | None:
        """The open file, where the bytes lie on this machine."""

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes, at most so many; none at the end."""

    def readinto(self, room: memoryview, /) -> int:
        """The next bytes, put into the room; how many, and 0 at the end."""

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of 1 MiB to the end."""


class BlobStream(Protocol):
    """A published blob that is being sent. Whoever sends it closes it. On this machine it is the open file itself."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most so many; none at the end."""

    def close(self) -> None: ...


class BlobStore(Protocol):
    """Content-addressed bytes. Every `sha256` is 64 hexadecimal digits, else ValueError."""

    def writer(self, expected_size: int | None = None) -> AbstractContextManager[BlobWriter]:
        """A new file; leaving without publishing discards it. With a size, room for all of it is set aside."""

    def partial(self, token: str, expected_size: int | None = None) -> AbstractContextManager[BlobWriter]:
        """The file of this token: left unpublished it stays, and opening it again goes on where it stood.

        Where there is no room for the whole, StorageFullError, and what was there is given up. One process at a time: a
        second one gets PartialBusyError. The lock ends with the process that holds it.
        """

    def forget(self, token: str) -> None:
        """Discard the partial of a token that nobody will go on with. PartialBusyError while it is written."""

    def open(
        self, sha256: str, start: int = 0, *, verify: bool = False
    ) -> AbstractContextManager[BlobReader]:
        """Read a blob. With `verify`, from its beginning: its last bytes are given out only when the hash is right."""

    def stream(self, sha256: str, start: int = 0) -> BlobStream:
        """The bytes from `start` to the end, for an answer that outlives whoever made it; or BlobMissingError."""

    def look(self) -> None:
        """Whether the store answers at all: raises StorageError where nothing could be read."""

    def exists(self, sha256: str) -> bool: ...

    def size(self, sha256: str) -> int:
        """Size in bytes, or BlobMissingError."""

    def verify(self, sha256: str) -> None:
        """Read the whole blob and raise BlobDamagedError when it is not what its address says."""

    def delete(self, sha256: str, *, unused_for: timedelta = timedelta(0)) -> bool:
        """Remove a blob unless its bytes arrived (again) within `unused_for`. Says whether it is gone."""

    def blobs(self) -> Iterator[StoredBlob]:
        """Every blob, in no order: the caller compares them with its rows."""

    def sweep(self, older_than: timedelta) -> int:
        """Remove partials that nobody writes and nobody touched for so long. Says how many."""
