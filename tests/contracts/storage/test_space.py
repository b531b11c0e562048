"""Space is reserved before the first byte, so that two files that wait for each other's space cannot deadlock."""

from __future__ import annotations

import ctypes
import errno
import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage import BlobStore, StorageFullError, open_store, space
from tests.support.small_disk import SmallDisk, make_small_disk

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    return make_small_disk(monkeypatch, tmp_path, 10 * MIB)


@pytest.fixture
def store(tmp_path: Path, disk: SmallDisk) -> BlobStore:
    return open_store(f"file://{tmp_path}/blobs")


def half(store: BlobStore, token: str, size: int) -> None:
    """An interrupted download."""
    with store.partial(token, size) as partial:
        partial.write(os.urandom(size // 2))


def whole(store: BlobStore, token: str, size: int) -> str:
    with store.partial(token, size) as partial:
        partial.write(os.urandom(size - partial.size))
        return partial.publish().sha256


def test_a_reserved_file_is_published_while_others_wait(store: BlobStore, disk: SmallDisk) -> None:
    half(store, "first", 6 * MIB)
    assert disk.used >= 6 * MIB
    before = disk.used
    with pytest.raises(StorageFullError), store.partial("second", 6 * MIB):
        pytest.fail("There is no space for it.")
    assert disk.used == before, "A waiting file holds nothing."
    whole(store, "small", 2 * MIB)
    first = whole(store, "first", 6 * MIB)
    assert store.size(first) == 6 * MIB
    disk.size = 20 * MIB
    assert store.size(whole(store, "second", 6 * MIB)) == 6 * MIB


def test_two_partials_without_a_reservation_do_not_deadlock(store: BlobStore, disk: SmallDisk) -> None:
    """As left by an earlier version, or on a disk without reservations: one gives up its space, and both arrive."""
    for token in ("first", "second"):
        with store.partial(token) as partial:
            partial.write(os.urandom(4 * MIB))
    with pytest.raises(StorageFullError), store.partial("first", 8 * MIB):
        pytest.fail("There is no space for it.")
    second = whole(store, "second", 8 * MIB)
    store.delete(second)
    assert store.size(whole(store, "first", 8 * MIB)) == 8 * MIB


def test_a_restart_keeps_the_reservation(store: BlobStore, disk: SmallDisk) -> None:
    with store.partial("item", 6 * MIB) as partial:
        partial.write(os.urandom(4 * MIB))
        partial.restart()
        assert partial.size == 0
        assert disk.used >= 6 * MIB


def test_a_published_file_uses_only_its_size(store: BlobStore, disk: SmallDisk) -> None:
    whole(store, "item", 3 * MIB)
    assert 3 * MIB <= disk.used < 3 * MIB + 64 * 1024


def test_a_discarded_file_releases_its_reservation(store: BlobStore, disk: SmallDisk) -> None:
    half(store, "item", 6 * MIB)
    store.forget("item")
    assert disk.used == 0
    half(store, "item", 6 * MIB)
    store.sweep(timedelta(0))
    assert disk.used == 0


def test_a_part_of_the_disk_stays_free(store: BlobStore, disk: SmallDisk) -> None:
    """The database may be on the same disk and must still be able to write."""
    with pytest.raises(StorageFullError), store.writer(disk.size):
        pytest.fail("There is no space for it.")
    with store.writer(disk.size - disk.size // space.MIN_FREE_FRACTION) as writer:
        assert writer.size == 0


def test_without_reservations_the_free_space_is_checked(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        ctypes.set_errno(errno.EOPNOTSUPP)
        return -1

    monkeypatch.setattr(space, "_libc", SimpleNamespace(fallocate=refuse))
    with pytest.raises(StorageFullError), store.partial("item", 20 * MIB):
        pytest.fail("There is no space for it.")
    assert store.size(whole(store, "item", 3 * MIB)) == 3 * MIB


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_was_filled_by_others_meanwhile_says_so(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_arguments: object) -> int:
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(space, "_libc", SimpleNamespace(fallocate=refuse))
    with pytest.raises(StorageFullError), store.partial("item", 3 * MIB):
        pytest.fail("There is no space for it.")
    assert store.sweep(timedelta(0)) == 0
