"""A blob of ours as a source.

It is hashed once, by whoever takes it: a fetch compares at the end, and the iManage client before the last byte.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from storage import BlobStore
from transfers.items import SourceFacts


class StoreSource:
    """A blob with the name that its document has here."""

    def __init__(self, store: BlobStore, sha256: str, name: str, extension: str) -> None:
        self._store = store
        self._sha256 = sha256
        self._name = name
        self._extension = extension

    def describe(self) -> SourceFacts:
        size = self._store.size(self._sha256)
        return SourceFacts(self._name, self._extension, size, self._sha256, "Counterpart")

    @contextmanager
    def open(self, offset: int = 0) -> Iterator["BlobStream"]:
        yield BlobStream(self._store.chunks(self._sha256, offset), resumed=offset > 0)


class BlobStream:
    """A blob's bytes, from where they were asked for."""

    def __init__(self, pieces: Iterator[bytes], *, resumed: bool) -> None:
        self._pieces = pieces
        self.resumed = resumed

    def chunks(self) -> Iterator[bytes]:
        return self._pieces
