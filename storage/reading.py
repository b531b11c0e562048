"""Reading a blob in pieces, and proving on the way that it is what its address says."""

import hashlib
from collections.abc import Iterator
from io import FileIO
from typing import Protocol

from storage.errors import BlobDamagedError
from storage.ports import CHUNK


class Raw(Protocol):
    """An open file of either kind."""

    def read(self, size: int, /) -> bytes: ...

    def readinto(self, room: memoryview, /) -> int: ...


class Reader:
    """A blob being read. When it verifies, damaged bytes are never completed: the last read raises."""

    def __init__(self, raw: Raw, sha256: str, size: int, start: int = 0, *, verify: bool = False) -> None:
        self._raw = raw
        self._sha256 = sha256
        self._hash = hashlib.sha256() if verify else None
        self._position = start
        self.size = size
        self.file = raw if isinstance(raw, FileIO) else None
        if verify and size == 0:
            self._judge()

    def read(self, size: int = CHUNK) -> bytes:
        data = self._raw.read(size)
        if size:
            self._note(data)
        return data

    def readinto(self, room: memoryview, /) -> int:
        count = self._raw.readinto(room)
        self._note(room[:count])
        return count

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(CHUNK):
            yield data

    def _note(self, data: bytes | memoryview) -> None:
        self._position += len(data)
        if not data and self._position < self.size:
            raise BlobDamagedError
        if self._hash is not None and data:
            self._hash.update(data)
            if self._position >= self.size:
                self._judge()

    def _judge(self) -> None:
        if self._hash is not None and (self._position != self.size or self._hash.hexdigest() != self._sha256):
            raise BlobDamagedError
