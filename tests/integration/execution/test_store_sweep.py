"""The sweep of the store: old bytes that nothing names go, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import TransferItem
from services.core.runtime import runtime
from services.core.unit_of_work import unit_of_work
from services.execution import maintenance
from storage import BlobMissingError
from tests.support.pages import Browser
from tests.support.practice import practice_imanage, reached
from tests.support.transfers import Desk, get, items_of, make_desk, sha256

DAY = 86_400


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    with practice_imanage() as running, reached(running) as practice:
        yield make_desk(browser, practice)


def publish(content: bytes) -> str:
    with runtime().blobs.writer() as writer:
        writer.write(content)
        return writer.publish().sha256


def age(root: Path, name: str, days: float) -> None:
    """As if the file with this in its name had lain for so long."""
    for path in root.rglob("*"):
        if path.is_file() and name in path.as_posix().replace("/", ""):
            os.utime(path, (time.time() - days * DAY,) * 2)


def test_the_sweep_takes_old_bytes_that_nothing_names_and_nothing_else(desk: Desk) -> None:
    blobs, root = runtime().blobs, Path(runtime().settings.storage_url.removeprefix("file://"))
    orphan, recent = publish(b"left over, old"), publish(b"left over, new")
    desk.add_document("Named.docx", b"named by a version")
    fetched = publish(b"fetched, not yet landed")
    (item,) = items_of(get(desk, desk.practice.world.named("Archive.tar").id()))
    with unit_of_work() as writing:
        writing.get_one(TransferItem, item.id).sha256 = fetched
    for sum_ in (orphan, sha256(b"named by a version"), fetched):
        age(root, sum_, 2)
    with blobs.partial("given-up") as partial:
        partial.write(b"half of it")
    with blobs.partial("under-way") as partial:
        partial.write(b"half of it")
    old, young = sorted(root.glob("incoming/*.part"), key=lambda path: path.stat().st_mtime_ns)[-2:]
    os.utime(old, (time.time() - 4 * DAY,) * 2)

    assert maintenance.sweep_store() == 1
    with pytest.raises(BlobMissingError):
        blobs.size(orphan)
    for sum_ in (recent, sha256(b"named by a version"), fetched):
        assert blobs.size(sum_)
    assert not old.exists() and young.exists()


def test_the_sweep_ends_however_much_there_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(runtime().settings.storage_url.removeprefix("file://"))
    maintenance.sweep_store()
    monkeypatch.setattr(maintenance, "BATCH", 3)
    monkeypatch.setattr(maintenance, "MOST_DELETED", 4)
    for number in range(8):
        age(root, publish(b"left over %d" % number), 2)
    assert maintenance.sweep_store() == 6, "two batches: the bound is looked at after each"
    assert maintenance.sweep_store() == 2
