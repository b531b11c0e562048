"""Document content: bytes in memory, on disk, or generated from a seed, all read in blocks."""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from random import Random
from typing import Any

from simulator import samples

BLOCK = 1 << 20


class Content(ABC):
    """Bytes of a known size, readable from any offset."""

    @property
    @abstractmethod
    def size(self) -> int: ...

    @abstractmethod
    def read_at(self, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; fewer only at the end or at an inner boundary, none past the end."""

    @abstractmethod
    def row(self) -> dict[str, Any]:
        """A JSON row from which `from_row` recreates this content."""

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        while start < end:
            block = self.read_at(start, min(BLOCK, end - start))
            if not block:
                return
            start += len(block)
            yield block


@dataclass(frozen=True)
class Inline(Content):
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]

    def row(self) -> dict[str, Any]:
        return {"kind": "inline", "data": base64.b64encode(self.data).decode()}


@dataclass(frozen=True)
class Sample(Content):
    """A small valid file that contains its document's name; generated on first access."""

    form: str
    title: str
    text: str = ""

    @cached_property
    def data(self) -> bytes:
        return samples.make(self.form, self.title, self.text)

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]

    def row(self) -> dict[str, Any]:
        return {"kind": "sample", "form": self.form, "title": self.title, "text": self.text}


@lru_cache(maxsize=8)
def _noise(seed: int) -> bytes:
    return Random(seed).randbytes(BLOCK)


@dataclass(frozen=True)
class Generated(Content):
    """Any number of bytes from a seed: the same noise in every block, after a 32-byte header that differs."""

    length: int
    seed: int = 1

    @property
    def size(self) -> int:
        return self.length

    def read_at(self, start: int, length: int) -> bytes:
        index, within = divmod(start, BLOCK)
        end = min(within + length, BLOCK, within + self.length - start)
        if within == 0 and end == BLOCK:
            return b"".join((self._head(index), memoryview(_noise(self.seed))[32:]))
        return (self._head(index) + _noise(self.seed)[32:])[within:end]

    def _head(self, index: int) -> bytes:
        return hashlib.sha256(f"{self.seed}:{index}".encode()).digest()

    def row(self) -> dict[str, Any]:
        return {"kind": "generated", "length": self.length, "seed": self.seed}


@dataclass(frozen=True)
class Joined(Content):
    """Several contents concatenated."""

    parts: tuple[Content, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        total, starts = 0, []
        for part in self.parts:
            starts.append(total)
            total += part.size
        return (*starts, total)

    @property
    def size(self) -> int:
        return self.starts[-1]

    def read_at(self, start: int, length: int) -> bytes:
        for part, first in zip(self.parts, self.starts, strict=False):
            if first <= start < first + part.size:
                return part.read_at(start - first, min(length, first + part.size - start))
        return b""

    def row(self) -> dict[str, Any]:
        return {"kind": "joined", "parts": [part.row() for part in self.parts]}


@dataclass(frozen=True)
class Known(Content):
    """Content with a precomputed hash, so that listing it does not read it."""

    inner: Content
    digest: str

    @property
    def size(self) -> int:
        return self.inner.size

    @cached_property
    def sha256(self) -> str:
        return self.digest

    def read_at(self, start: int, length: int) -> bytes:
        return self.inner.read_at(start, length)

    def row(self) -> dict[str, Any]:
        return {"kind": "known", "inner": self.inner.row(), "digest": self.digest}


@dataclass(frozen=True)
class OnDisk(Content):
    """Uploaded bytes; hashed while they arrived."""

    path: Path
    length: int
    digest: str

    @property
    def size(self) -> int:
        return self.length

    @cached_property
    def sha256(self) -> str:
        return self.digest

    def read_at(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        left = (self.length if stop is None else min(stop, self.length)) - start
        with self.path.open("rb") as file:
            file.seek(start)
            while left > 0 and (block := file.read(min(BLOCK, left))):
                left -= len(block)
                yield block

    def row(self) -> dict[str, Any]:
        return {"kind": "disk", "name": self.path.name, "length": self.length, "digest": self.digest}


def from_row(row: dict[str, Any], files: Path) -> Content:
    """The content that `row()` described; uploaded bytes are in `files`."""
    match row["kind"]:
        case "inline":
            return Inline(base64.b64decode(row["data"]))
        case "sample":
            return Sample(row["form"], row["title"], row["text"])
        case "generated":
            return Generated(row["length"], row["seed"])
        case "joined":
            return Joined(tuple(from_row(part, files) for part in row["parts"]))
        case "known":
            return Known(from_row(row["inner"], files), row["digest"])
        case "disk":
            return OnDisk(files / row["name"], row["length"], row["digest"])
    raise ValueError(f"unknown content kind {row['kind']!r}")


def large_pdf(title: str, size: int, seed: int) -> Content:
    """A valid PDF of exactly `size` bytes: one page and an unused stream of noise."""
    head, tail = samples.pdf_around(title, size)
    return Joined((Inline(head), Generated(size - len(head) - len(tail), seed), Inline(tail)))


def as_content(value: Content | bytes) -> Content:
    return Inline(value) if isinstance(value, bytes) else value
