"""Files written in full blocks: flushed and hashed meanwhile, and disk errors at every point."""

import errno
import hashlib
import multiprocessing
import os
import resource
import signal
import subprocess
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from storage import (
    CHUNK,
    BlobStore,
    BlobWriter,
    StorageFailedError,
    StorageFullError,
    digests,
    incoming,
    open_store,
)


def _put_blocks(writer: BlobWriter, number: int) -> None:
    for index in range(number):
        writer.buffer()[:] = bytes([index]) * CHUNK
        writer.advance(CHUNK)


def _put_blocks_over_the_limit(
    root: Path, outcome: "multiprocessing.SimpleQueue[tuple[str, int, str]]"
) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * CHUNK + 5_000, 2 * CHUNK + 5_000))
    with open_store(f"file://{root}").partial("item") as writer:
        try:
            _put_blocks(writer, 9)
        except StorageFullError as full:
            outcome.put((full.code, writer.size, writer.sha256))


def test_a_block_that_the_disk_refuses_is_told_and_what_it_took_is_kept(local: BlobStore, root: Path) -> None:
    context = multiprocessing.get_context("fork")
    outcome = context.SimpleQueue()
    process = context.Process(target=_put_blocks_over_the_limit, args=(root, outcome))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    whole = b"".join(bytes([index]) * CHUNK for index in range(3))
    written = 2 * CHUNK + 5_000
    hashed = hashlib.sha256(whole[:written]).hexdigest()
    assert outcome.get() == ("storage.full", written, hashed)
    with local.partial("item") as writer:
        assert (writer.size, writer.sha256) == (written, hashed)
        writer.write(whole[written:])
        assert writer.publish().sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("cut_to", [0, CHUNK, 2 * CHUNK - 1])
def test_a_file_truncated_while_written_is_not_published(
    local: BlobStore, root: Path, monkeypatch: pytest.MonkeyPatch, cut_to: int
) -> None:
    monkeypatch.setattr(digests, "POLL_SECONDS", 60)  # hash only when the digest is requested
    with local.partial("item") as writer:
        _put_blocks(writer, 1)
        assert writer.sha256
        (path,) = (root / "incoming").iterdir()
        with pytest.raises(StorageFailedError):
            _put_blocks(writer, 1)
            os.truncate(path, cut_to)
            writer.publish()
    assert list(local.blobs()) == []


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of blocks in the file at each flush."""
    found: list[int] = []
    flush = os.fdatasync

    def seen(descriptor: int) -> None:
        found.append(os.fstat(descriptor).st_size // CHUNK)
        flush(descriptor)

    monkeypatch.setattr(os, "fdatasync", seen)
    return found


def cached(path: Path) -> int:
    """The number of bytes of a file in the page cache."""
    found = 0
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # no readahead
        for at in range(0, path.stat().st_size, 4096):
            with suppress(BlockingIOError):
                found += os.preadv(file.fileno(), [bytearray(4096)], at, os.RWF_NOWAIT)
    return found


def is_in_memory(path: Path) -> bool:
    command = ["stat", "--file-system", "--format", "%T", path]
    return subprocess.run(command, capture_output=True, check=True).stdout == b"tmpfs\n"


def test_a_large_file_is_flushed_while_it_comes_and_does_not_fill_the_page_cache(
    local: BlobStore, root: Path, monkeypatch: pytest.MonkeyPatch, flushed: list[int]
) -> None:
    monkeypatch.setattr(incoming, "FLUSH_EVERY", 4 * CHUNK)
    with local.writer() as writer:
        for _ in range(4):
            _put_blocks(writer, 4)
            assert writer.sha256
        assert len(flushed) == 4
        (path,) = (root / "incoming").iterdir()
        assert cached(path) < 8 * CHUNK or is_in_memory(path)


def test_blocks_are_flushed_one_by_one_where_others_come_in_too(local: BlobStore, flushed: list[int]) -> None:
    with local.writer() as large:
        _put_blocks(large, 2)
        assert large.sha256
        assert flushed == []
        with local.writer():
            _put_blocks(large, 2)
            assert large.sha256
        assert flushed == [3, 4]
        _put_blocks(large, 1)
        large.publish()
    assert flushed == [3, 4]


@pytest.mark.parametrize("is_alone", [True, False])
def test_nothing_is_built_on_a_block_whose_flush_failed(
    local: BlobStore, monkeypatch: pytest.MonkeyPatch, is_alone: bool
) -> None:
    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(incoming, "FLUSH_EVERY", CHUNK)
    monkeypatch.setattr(os, "fdatasync", failing)
    others = nullcontext() if is_alone else local.writer()
    with others, local.partial("item") as large, pytest.raises(StorageFailedError):
        _put_blocks(large, 1)
        large.publish()
    assert list(local.blobs()) == []
    with local.partial("item") as large:
        assert large.size == 0
