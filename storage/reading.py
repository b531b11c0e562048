"""Reads a blob, optionally verifying that it matches its address."""

import hashlib
from collections.abc import Iterator
from io import FileIO
from typing import Protocol

from storage.errors import BlobDamagedError
from storage.ports import CHUNK


class Raw(Protocol):
    """An open file of either store."""

    def read(self, size: int, /) -> bytes: ...

    def readinto(self, buffer: memoryview, /) -> int: ...


class Reader:
    """A blob being read. With `verify`, the last read raises BlobDamagedError if the content does not match."""

    def __init__(self, raw: Raw, sha256: str, size: int, start: int = 0, *, verify: bool = False) -> None:
        self._raw = raw
        self._sha256 = sha256
        self._hash = hashlib.sha256() if verify else None
        self._position = start
        self.size = size
        self.file = raw if isinstance(raw, FileIO) else None
        if verify and size == 0:
            self._verify()

    def read(self, size: int = CHUNK) -> bytes:
        data = self._raw.read(size)
        if size:
            self._update(data)
        return data

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._raw.readinto(buffer)
        self._update(buffer[:count])
        return count

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read(CHUNK):
            yield data

    def _update(self, data: bytes | memoryview) -> None:
        self._position += len(data)
        if not data and self._position < self.size:
            raise BlobDamagedError
        if self._hash is not None and data:
            self._hash.update(data)
            if self._position >= self.size:
                self._verify()

    def _verify(self) -> None:
        if self._hash is not None and (self._position != self.size or self._hash.hexdigest() != self._sha256):
            raise BlobDamagedError
