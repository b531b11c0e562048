"""Copying from one store into another, both real: going on, stopping, and noticing what is wrong."""

import secrets
import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from copying.copy import fetch
from copying.errors import DifferentContentError, StoppedError
from copying.store_endpoint import StoreSource
from copying.values import Progress
from storage import BlobMissingError, BlobStore, PartialBusyError, StorageFullError, open_store

DATA = secrets.token_bytes(5 * (1 << 20) + 12_345)


@pytest.fixture
def there(tmp_path: Path) -> BlobStore:
    return open_store(f"file://{tmp_path / 'there'}")


@pytest.fixture
def here(tmp_path: Path) -> BlobStore:
    return open_store(f"file://{tmp_path / 'here'}")


@pytest.fixture
def source(there: BlobStore) -> StoreSource:
    with there.writer() as writer:
        writer.write(DATA)
        return StoreSource(there, writer.publish().sha256, "Deed", "docx")


def stop_after(chunks: int) -> Callable[[], str | None]:
    asked = iter(range(chunks + 2))
    return lambda: "Cancelled by Alice." if next(asked, None) is None else None


def kept(store: BlobStore, sha256: str) -> bytes:
    stream = store.stream(sha256)
    try:
        return b"".join(iter(lambda: stream.read(64 * 1024), b""))
    finally:
        stream.close()


def test_a_whole_copy(source: StoreSource, here: BlobStore) -> None:
    seen: list[Progress] = []
    fetched = fetch(source, here, "item", on_progress=seen.append)
    assert (fetched.sha256, fetched.size) == (source.describe().sha256, len(DATA))
    assert kept(here, fetched.sha256) == DATA
    assert seen[0] == Progress(0, len(DATA))
    assert seen[-1] == Progress(len(DATA), len(DATA))
    assert here.sweep(timedelta(0)) == 0


def test_a_fetched_copy_no_longer_needs_the_other_store(
    source: StoreSource, here: BlobStore, tmp_path: Path
) -> None:
    source.read_ahead()
    shutil.rmtree(tmp_path / "there")
    fetched = fetch(source, here, "item")
    assert fetched.facts == source.describe()
    assert here.exists(fetched.sha256)


def test_stopped_between_chunks_and_gone_on_with(source: StoreSource, here: BlobStore) -> None:
    with pytest.raises(StoppedError, match=r"Cancelled by Alice\."):
        fetch(source, here, "item", should_stop=stop_after(2))
    assert list(here.blobs()) == []
    seen: list[Progress] = []
    fetched = fetch(source, here, "item", on_progress=seen.append)
    assert 0 < seen[0].done < len(DATA)
    here.verify(fetched.sha256)
    assert here.size(fetched.sha256) == len(DATA)


def test_stopped_before_anything(source: StoreSource, here: BlobStore) -> None:
    with pytest.raises(StoppedError):
        fetch(source, here, "item", should_stop=lambda: "The server is disabled.")
    assert here.sweep(timedelta(0)) == 0


def test_whole_already_but_not_yet_published(source: StoreSource, here: BlobStore) -> None:
    with here.partial("item") as partial:
        partial.write(DATA)
    seen: list[Progress] = []
    fetched = fetch(source, here, "item", on_progress=seen.append)
    assert seen == []
    here.verify(fetched.sha256)


def test_bytes_left_by_another_version_are_found_out_and_dropped(
    source: StoreSource, here: BlobStore
) -> None:
    with here.partial("item") as partial:
        partial.write(b"of another version")
    with pytest.raises(DifferentContentError) as different:
        fetch(source, here, "item")
    assert different.value.what == "SHA-256"
    assert list(here.blobs()) == []
    assert kept(here, fetch(source, here, "item").sha256) == DATA


def test_bytes_left_by_a_longer_version_are_dropped_at_once(source: StoreSource, here: BlobStore) -> None:
    with here.partial("item") as partial:
        partial.write(DATA + b"and more")
    assert kept(here, fetch(source, here, "item").sha256) == DATA


def test_a_damaged_source_publishes_nothing(source: StoreSource, here: BlobStore, tmp_path: Path) -> None:
    (path,) = (path for path in (tmp_path / "there" / "sha256").rglob("*") if path.is_file())
    path.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    with pytest.raises(DifferentContentError):
        fetch(source, here, "item")
    assert list(here.blobs()) == []
    assert here.sweep(timedelta(0)) == 1


def test_a_source_that_is_gone(there: BlobStore, here: BlobStore) -> None:
    with pytest.raises(BlobMissingError):
        fetch(StoreSource(there, "0" * 64, "Deed", "docx"), here, "item")


def test_a_second_worker_does_not_write_the_same_item(source: StoreSource, here: BlobStore) -> None:
    with here.partial("item") as partial:
        partial.write(DATA[:100])
        with pytest.raises(PartialBusyError):
            fetch(source, here, "item")
    here.verify(fetch(source, here, "item").sha256)


def test_a_full_disk_is_reported_before_the_first_byte(
    source: StoreSource, here: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10, 9, 1))
    with pytest.raises(StorageFullError):
        fetch(source, here, "item")
    monkeypatch.undo()
    assert here.sweep(timedelta(0)) == 0
