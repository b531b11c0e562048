"""The SHA-256 of an upload: the same from the blocks and from the file, whatever happens meanwhile."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from io import FileIO
from pathlib import Path

import pytest

from imanage import upload_hashing
from imanage.upload_hashing import BLOCK, running_hash

CONTENT = random.Random(1).randbytes(5 * BLOCK + 17)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    os.utime(path, (1, 1))
    return path


def blocks(file: FileIO) -> Iterator[memoryview]:
    """The file in blocks, in two alternating buffers."""
    buffers = [memoryview(bytearray(BLOCK)) for _ in range(2)]
    for buffer in itertools.cycle(buffers):
        if not (count := file.readinto(buffer)):
            return
        yield buffer[:count]


@pytest.mark.parametrize("beside", [True, False])
def test_the_hash_covers_everything_sent(path: Path, beside: bool) -> None:
    with FileIO(path) as file, running_hash(file if beside else None) as running:
        for block in blocks(file):
            running.update(block)
        assert running.sha256() == sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("sent", [0, 1, 6])
def test_a_file_that_is_written_to_is_hashed_as_it_is_in_the_end(path: Path, sent: int) -> None:
    with FileIO(path) as file, running_hash(file) as running:
        for _ in range(sent):
            running.update(memoryview(file.read(BLOCK)))
        with path.open("r+b") as other:
            other.seek(5 * BLOCK)
            other.write(b"other")
        for block in blocks(file):
            running.update(block)
        assert running.sha256() == sha256(path.read_bytes()).hexdigest()


def test_a_file_that_was_only_touched_is_the_same(path: Path) -> None:
    with FileIO(path) as file, running_hash(file) as running:
        path.touch()
        for block in blocks(file):
            running.update(block)
        assert running.sha256() == sha256(CONTENT).hexdigest()


def test_a_file_that_was_cut_short_is_another(path: Path) -> None:
    with FileIO(path) as file, running_hash(file) as running:
        os.truncate(path, BLOCK)
        for block in blocks(file):
            running.update(block)
        assert running.sha256() == sha256(CONTENT[:BLOCK]).hexdigest()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """The offsets that the hashing thread has read, after so many reads."""
    enough = threading.Condition()
    places: list[int] = []
    preadv = os.preadv

    def noted(descriptor: int, buffers: Sequence[memoryview], at: int) -> int:
        with enough:
            places.append(at)
            enough.notify_all()
        return preadv(descriptor, buffers, at)

    def after(count: int) -> list[int]:
        with enough:
            assert enough.wait_for(lambda: len(places) >= count, 30)
            return list(places)

    monkeypatch.setattr(os, "preadv", noted)
    return after


def test_hashing_reads_no_further_than_the_read_ahead(
    path: Path, reads: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_hashing, "READ_AHEAD", 2 * BLOCK)
    with FileIO(path) as file, running_hash(file) as running:
        assert reads(3) == [0, BLOCK, 2 * BLOCK]
        running.update(memoryview(file.read(BLOCK)))
        assert reads(4) == [0, BLOCK, 2 * BLOCK, 3 * BLOCK]
        for block in blocks(file):
            running.update(block)
        assert running.sha256() == sha256(CONTENT).hexdigest()


def test_leaving_early_stops_the_hashing_thread(
    path: Path, reads: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_hashing, "READ_AHEAD", BLOCK)
    before = set(threading.enumerate())
    with pytest.raises(KeyError), FileIO(path) as file, running_hash(file):
        reads(2)
        raise KeyError
    assert set(threading.enumerate()) == before
    assert reads(2) == [0, BLOCK]


def test_a_disk_error_is_raised(path: Path) -> None:
    with (
        path.open("ab", buffering=0) as unreadable,
        running_hash(unreadable) as running,
        pytest.raises(OSError),
    ):
        running.sha256()
