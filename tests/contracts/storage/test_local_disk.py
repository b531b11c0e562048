"""The local store and its disk: order of flushes, file modes, and disk errors."""

import multiprocessing
import os
import resource
import secrets
import signal
import tracemalloc
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage import BlobStore, StorageFailedError, StorageFullError, open_store


def test_flushed_linked_and_flushed_again(local: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def seen_fsync(descriptor: int) -> None:
        steps.append("flush " + Path(f"/proc/self/fd/{descriptor}").readlink().parent.name)
        fsync(descriptor)

    def seen_link(source: Path, target: Path) -> None:
        steps.append("link")
        link(source, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "link", seen_link)
    with local.writer() as writer:
        writer.write(b"kept through a power cut")
        writer.publish()
    assert steps[0] == "flush incoming"
    assert steps[-2:] == ["link", "flush sha256"]


def test_a_blob_comes_with_its_open_file(local: BlobStore) -> None:
    with local.writer() as writer:
        writer.write(b"read twice")
        blob = writer.publish()
    with local.open(blob.sha256, 5) as reader:
        assert reader.file is not None
        assert os.pread(reader.file.fileno(), 100, 0) == b"read twice"
        assert reader.read() == b"twice"


def test_nobody_else_may_read(local: BlobStore, root: Path) -> None:
    with local.writer() as writer:
        writer.write(b"privileged")
        writer.publish()
    for path in [root, *root.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("token", [None, "item"])
def test_after_a_failed_flush_nothing_is_published_and_nothing_kept(
    local: BlobStore, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    def failing(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with (
            pytest.raises(StorageFailedError) as failed,
            local.partial(token) if token else local.writer() as writer,
        ):
            writer.write(b"uncertain")
            writer.publish()
    assert failed.value.retry == "later"
    assert list(local.blobs()) == []
    if token:
        with local.partial(token) as writer:
            assert writer.size == 0


def _write_over_the_limit(root: Path, outcome: "multiprocessing.SimpleQueue[tuple[str, int]]") -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
    store = open_store(f"file://{root}")
    with store.partial("item") as writer:
        try:
            writer.write(b"y" * 1_000_000)
            writer.write(b"z" * 1_000_000)
        except StorageFullError as full:
            outcome.put((full.code, writer.size))


def test_a_disk_that_fills_up_keeps_what_it_took(local: BlobStore, root: Path) -> None:
    context = multiprocessing.get_context("fork")
    outcome = context.SimpleQueue()
    process = context.Process(target=_write_over_the_limit, args=(root, outcome))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert outcome.get() == ("storage.full", 1_500_000)
    with local.partial("item") as writer:
        assert writer.size == 1_500_000
        writer.write(b"z" * 500_000)
        blob = writer.publish()
    with closing(local.stream(blob.sha256)) as stream:
        assert stream.read() == b"y" * 1_000_000 + b"z" * 1_000_000


def test_a_published_file_that_kept_its_temporary_name_is_not_written_to(
    local: BlobStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, local.partial("item") as writer:
        patched.setattr(Path, "unlink", lambda _path: None)  # as if killed before it
        writer.write(b"one document")
        blob = writer.publish()
    assert len(list((root / "incoming").iterdir())) == 1
    with local.partial("item") as writer:
        assert writer.size == 0
        writer.write(b"another")
        writer.restart()
        local.verify(blob.sha256)
    local.forget("item")
    assert list((root / "incoming").iterdir()) == []
    local.verify(blob.sha256)


def _publish_often(root: Path, data: bytes) -> None:
    store = open_store(f"file://{root}")
    for _ in range(20):
        with store.writer() as writer:
            writer.write(data)
            writer.publish()
        store.delete(writer.sha256, unused_for=timedelta(minutes=1))


def test_many_processes_publish_the_same_bytes(local: BlobStore, root: Path) -> None:
    data = secrets.token_bytes(10_000)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_publish_often, args=(root, data)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    (blob,) = local.blobs()
    local.verify(blob.sha256)
    assert list((root / "incoming").iterdir()) == []


def test_bytes_that_arrive_again_renew_their_date(local: BlobStore, root: Path) -> None:
    def publish() -> str:
        with local.writer() as writer:
            writer.write(b"old, and wanted again")
            return writer.publish().sha256

    address = publish()
    os.utime(root / "sha256" / address[:2] / address[2:], (0, 0))
    publish()
    assert not local.delete(address, unused_for=timedelta(hours=1))
    assert local.exists(address)


def test_a_planted_link_is_not_followed(local: BlobStore, root: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    with local.partial("item") as writer:
        writer.write(b"x")
    (partial,) = (root / "incoming").iterdir()
    partial.unlink()
    partial.symlink_to(victim)
    with pytest.raises(StorageFailedError), local.partial("item"):
        pass
    assert victim.read_bytes() == b"precious"


def test_an_unrelated_file_is_neither_listed_nor_swept(local: BlobStore, root: Path) -> None:
    with local.writer() as writer:
        writer.write(b"ours")
        address = writer.publish().sha256
    (root / "sha256" / address[:2] / "notes.txt").write_text("by hand")
    (root / "incoming" / "lost+found").mkdir()
    assert [blob.sha256 for blob in local.blobs()] == [address]
    assert local.sweep(timedelta(0)) == 0


def test_memory_does_not_grow_with_the_file(local: BlobStore) -> None:
    chunk = secrets.token_bytes(1 << 20)
    tracemalloc.start()
    try:
        with local.writer() as writer:
            for _ in range(64):
                writer.write(chunk)
            blob = writer.publish()
        with local.open(blob.sha256, verify=True) as reader:
            assert sum(len(piece) for piece in reader) == 64 << 20
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
