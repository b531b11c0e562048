"""A stored blob as a source. The iManage client verifies its hash before it sends the last byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from copying.values import SourceFacts
from storage import BlobReader, BlobStore


class StoreSource:
    """A blob, with the name and type to save it under."""

    def __init__(self, store: BlobStore, sha256: str, name: str, extension: str) -> None:
        self._store = store
        self._sha256 = sha256
        self._name = name
        self._extension = extension
        self._read_ahead: bytes | None = None

    def read_ahead(self) -> None:
        """Read a small blob into memory before it is sent."""
        with self._store.open(self._sha256) as reader:
            self._read_ahead = b"".join(reader)

    def describe(self) -> SourceFacts:
        size = self._store.size(self._sha256) if self._read_ahead is None else len(self._read_ahead)
        return SourceFacts(self._name, self._extension, size, self._sha256, "Counterpart")

    @contextmanager
    def open(self, offset: int = 0) -> Iterator["BlobStream"]:
        if self._read_ahead is not None:
            yield BlobStream(BytesIO(self._read_ahead[offset:]), resumed=offset > 0)
            return
        with self._store.open(self._sha256, offset) as reader:
            yield BlobStream(reader, resumed=offset > 0)


class BlobStream:
    """A blob's bytes from the requested offset."""

    framed = True

    def __init__(self, reader: BlobReader | BytesIO, *, resumed: bool) -> None:
        self._reader = reader
        self.resumed = resumed
        self.file = None if isinstance(reader, BytesIO) else reader.file

    def readinto(self, buffer: memoryview, /) -> int:
        return self._reader.readinto(buffer)
