"""Gets on a disk that is too small for all of them at once: none is lost, none holds the others up, each says why."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from models import TransferItem
from services.core import runtime
from services.core.unit_of_work import unit_of_work
from services.transfers import control
from simulator import Fault
from storage import open_store
from tests.support.small_disk import SmallDisk, make_small_disk
from tests.support.transfers import Desk, carry, get, items_of, skip_wait

MIB = 1 << 20


@pytest.fixture
def disk(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    usual = runtime.runtime()
    monkeypatch.setattr(
        runtime, "_runtime", replace(usual, blobs=open_store(f"file://{tmp_path}/blobs")), raising=False
    )
    return make_small_disk(monkeypatch, tmp_path, 16 * MIB)


def large(desk: Desk, name: str, size: int) -> str:
    folder = desk.practice.world.folder("Drafts", "Active")
    return desk.practice.world.add_document(folder, name, "docx", os.urandom(size)).id()


def test_two_large_ones_and_a_small_one_all_arrive(desk: Desk, disk: SmallDisk) -> None:
    first, second, small = (
        items_of(get(desk, large(desk, name, size)))[0].id
        for name, size in (("First", 10 * MIB), ("Second", 10 * MIB), ("Small", 2 * MIB))
    )
    desk.practice.faults.add(Fault("cut", path="/download", fraction=0.5, times=1))
    assert carry(first).state == "waiting"
    waiting = carry(second)
    assert (waiting.state, waiting.error_code) == ("waiting", "storage.full")
    assert waiting.error_sentence.startswith("The document store is full")
    assert waiting.wait_until is not None
    assert carry(small).state == "done"
    skip_wait(first)
    assert carry(first).state == "done"
    for _ in range(3):
        skip_wait(second)
        assert carry(second).state == "waiting"
    disk.size = 32 * MIB
    skip_wait(second)
    assert carry(second).state == "done"


def test_waiting_for_space_never_fails(desk: Desk, disk: SmallDisk) -> None:
    (item,) = items_of(get(desk, large(desk, "Large", 20 * MIB)))
    with unit_of_work() as writing:
        writing.get_one(TransferItem, item.id).attempt = 1000
    assert carry(item.id).state == "waiting"


def test_a_stopped_get_frees_its_space(desk: Desk, disk: SmallDisk) -> None:
    began = get(desk, large(desk, "Began", 10 * MIB))
    (first,) = items_of(began)
    (second,) = items_of(get(desk, large(desk, "Second", 10 * MIB)))
    desk.practice.faults.add(Fault("cut", path="/download", fraction=0.5, times=1))
    assert carry(first.id).state == "waiting"
    control.cancel(desk.actor, began)
    assert carry(second.id).state == "waiting"
    skip_wait(second.id)
    assert carry(second.id).state == "done"
