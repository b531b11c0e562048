"""The key file: whole or not there, made by one of many, and never taken for good where it is not."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

import key_file
from config import Settings, SettingsError

PROCESSES, ROUNDS = 4, 1000


def _start(folder: Path, barrier: Barrier, found: Any) -> None:
    mine = []
    for number in range(ROUNDS):
        barrier.wait()
        mine.append(key_file.read_or_make(folder / str(number) / key_file.NAME))
    found.put(mine)


def test_four_processes_at_one_barrier_agree_a_thousand_times(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("fork")
    barrier, found = processes.Barrier(PROCESSES), processes.Queue()
    running = [processes.Process(target=_start, args=(tmp_path, barrier, found)) for _ in range(PROCESSES)]
    for each in running:
        each.start()
    heard = [found.get(timeout=120) for _ in running]
    for each in running:
        each.join(30)
        assert each.exitcode == 0
    assert all(one == heard[0] for one in heard)
    assert len(set(heard[0])) == ROUNDS
    assert all(len(keys) == 1 and len(keys[0]) == 64 for keys in heard[0])
    assert {each.name for each in tmp_path.rglob("*") if each.is_file()} == {key_file.NAME}
    assert {each.stat().st_mode & 0o777 for each in tmp_path.rglob(key_file.NAME)} == {0o600}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n  \n", "is empty"),
        (b"too short\n", "with fewer than 32 characters"),
        (b"k" * 64 + b"\nshort\n", "with fewer than 32 characters"),
        (b"\xff\xfe\x00k" * 20, "is not a key file"),
    ],
)
def test_a_file_that_cannot_serve_is_said_in_a_sentence_and_stays(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / key_file.NAME
    path.write_bytes(content)
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path)})
    assert says in str(raised.value) and "from a backup" in str(raised.value)
    assert path.read_bytes() == content


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / key_file.NAME).mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path)})


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be created"):
        Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path / "file" / "data")})


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / key_file.NAME
    first = key_file.read_or_make(path)
    key_file.replace(path, ("n" * 64, *first))
    assert key_file.read(path) == ("n" * 64, *first)
    assert [each.name for each in tmp_path.iterdir()] == [key_file.NAME]
