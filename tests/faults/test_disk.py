"""The disk's faults (40 to 46, 51), injected into the system calls of a child process, or on a separate disk."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from config import sqlite_file
from services.core import runtime
from services.transfers.states import LIVE, ItemState
from storage import open_store
from storage.names import key_of, partial_name
from tests.faults.children import carried_by_a_child
from tests.faults.matrix import cells
from tests.faults.scenario import Cell
from tests.faults.scene import Scene
from tests.support.transfers import sha256
from tests.support.worker_processes import until

CALLS = {
    "write": "write",
    "fsync": "fsync,fdatasync",
    "link": "link,linkat,rename,renameat,renameat2",
    "wal": "pwrite64",
    "open": "openat",
}


def injected(
    tracers: list[subprocess.Popen[bytes]], calls: str, fault: str, nth: str, log: Path
) -> Callable[[int], None]:
    """Hold the child until strace is attached; then its calls fail as specified."""

    def ready(pid: int) -> None:
        command = ["strace", "-f", "-p", str(pid), "-o", str(log), "-e", f"trace={calls}"]
        command += ["-e", f"inject={calls}:error={fault}:when={nth}"]
        said = log.with_suffix(".said")
        with said.open("wb") as heard:
            tracers.append(subprocess.Popen(command, stderr=heard))
        until(lambda: b"attached" in said.read_bytes(), "strace", 5)

    return ready


def of(*names: str) -> list[Cell]:
    return [each for each in cells("disk") if each.scenario.name.startswith(names)]


@pytest.mark.parametrize("cell", of("ENOSPC-", "EIO-", "EDQUOT-", "ESTALE-"), ids=lambda cell: cell.id)
def test_calls_that_fail(cell: Cell, scene: Scene) -> None:
    """Each call of that kind fails once, in a child process; then the disk works again."""
    # In an empty store: an existing folder for the same first two digits means one flush less.
    with stored_on(scene.folder_here):
        scene.prepare(20_000)
        scene.begin()
        fault, what, nth = cell.scenario.name.split("-")
        log = scene.folder_here / "strace"
        seen = len(scene.practice.requests)
        tracers: list[subprocess.Popen[bytes]] = []
        carried_by_a_child(scene, lambda: None, ready=injected(tracers, CALLS[what], fault, nth, log))
        assert [tracer.wait(10) for tracer in tracers] == [0]
        scene.settled()
        scene.calls[scene.items[0]] += scene.practice.requests[seen:]
        assert "(INJECTED)" in log.read_text(), "no such call was made"
        assert scene.states()[0] in LIVE | {ItemState.DONE}, scene.rows()[0].error_sentence
        scene.carry_on()
        assert set(scene.states()) == {ItemState.DONE}
        scene.words_are_plain()
        scene.sides_agree()
        scene.asked_politely()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A tmpfs of this size, or a sentence why there is none."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=False
    ).returncode:
        pytest.fail("A disk of its own can only be mounted by root: run these tests as root.")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@contextmanager
def stored_on(disk: Path) -> Iterator[None]:
    usual = runtime.runtime()
    runtime.bind(replace(usual, blobs=open_store(f"file://{disk / 'blobs'}")))
    try:
        yield
    finally:
        runtime.bind(usual)


@pytest.mark.parametrize("cell", of("disk-full", "read-only", "no-larger-file"), ids=lambda cell: cell.id)
def test_disk_full(cell: Cell, scene: Scene) -> None:
    """The transfer waits with a reason, and resumes when there is space."""
    with small_disk(scene.folder_here, "2m") as disk, stored_on(disk):
        scene.prepare()
        scene.begin()
        ballast = disk / "ballast"
        if cell.scenario.name == "disk-full":
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                ballast.write_bytes(bytes(4 << 20))
            scene.carry_once()
        elif cell.scenario.name == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            scene.carry_once()
        else:
            carried_by_a_child(scene, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)))
        if cell.scenario.name != "no-larger-file":
            assert set(scene.states()) == ({ItemState.WAITING} if scene.is_get else {ItemState.DONE})
            scene.words_are_plain()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        ballast.unlink(missing_ok=True)
        scene.carry_on()
        assert set(scene.states()) == {ItemState.DONE}
        scene.sides_agree()
        scene.asked_politely()


@pytest.mark.parametrize("cell", of("spool-"), ids=lambda cell: cell.id)
def test_spool_changed_behind_us(cell: Cell, scene: Scene) -> None:
    """The partial file of an interrupted download is missing, shorter or different when it is resumed."""
    scene.prepare(3 << 20)
    scene.dial("cut", fraction=0.5)
    scene.begin()
    assert scene.carry_once()[0].state == ItemState.WAITING
    (part,) = Path(runtime.runtime().settings.data_dir).rglob(partial_name(f"get-{scene.items[0]}"))
    held = part.read_bytes()
    assert held
    match cell.scenario.name:
        case "spool-deleted":
            part.unlink()
        case "spool-truncated":
            part.write_bytes(held[: len(held) // 3])
        case "spool-changed":
            part.write_bytes(bytes(len(held)))
    scene.practice.faults.clear()
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    scene.sides_agree()


@pytest.mark.parametrize("cell", of("store-"), ids=lambda cell: cell.id)
def test_store_changed_behind_us(cell: Cell, scene: Scene) -> None:
    """Content that differs from its recorded hash never becomes a document in iManage."""
    scene.prepare()
    scene.begin()
    digest = sha256(scene.contents[0])
    (file,) = Path(runtime.runtime().settings.data_dir).rglob(key_of(digest))
    held = file.read_bytes()
    match cell.scenario.name:
        case "store-deleted":
            file.unlink()
        case "store-truncated":
            os.truncate(file, len(held) // 2)
        case "store-changed":
            file.write_bytes(bytes(len(held)))
    scene.carry_on()
    assert scene.states() == [ItemState.FAILED] + [ItemState.DONE] * (scene.count - 1)
    scene.words_are_plain()
    file.write_bytes(held)
    scene.sides_agree()
    assert not scene.there(digest)


@pytest.mark.parametrize("cell", of("database-busy"), ids=lambda cell: cell.id)
def test_database_busy(cell: Cell, scene: Scene) -> None:
    """Another program holds SQLite's write lock for ten seconds."""
    scene.prepare()
    scene.begin()
    path = sqlite_file(runtime.runtime().settings.database_url)
    script = "import sqlite3,sys,time;c=sqlite3.connect(sys.argv[1]);c.execute('BEGIN IMMEDIATE');print(1,flush=True);"
    with subprocess.Popen(
        ["python3", "-c", f"{script}time.sleep(10);c.rollback()", str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline()
        began = time.monotonic()
        scene.carry_once()
        assert time.monotonic() - began > 8
    assert set(scene.states()) == {ItemState.DONE}
    scene.sides_agree()
    scene.asked_politely()
