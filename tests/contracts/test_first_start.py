"""A start with wrong settings ends with a sentence and exit status 1, before anything is created."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import key_file
from commands.demo_firm import MATTERS, PEOPLE
from tests.support.stack import Process, answers, demo, free_port, inherited, until
from tests.support.worker_processes import REPOSITORY

FLASK = (sys.executable, "-m", "flask", "--app", "app")


def environment(folder: Path, **more: str) -> dict[str, str]:
    port = str(free_port())
    own = {"DATA_DIR": str(folder), "PORT": port, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return {**inherited(), **{f"COUNTERPART_{name}": value for name, value in {**own, **more}.items()}}


def refused(environ: dict[str, str], *command: str) -> str:
    """The output of a process that refuses to start."""
    done = subprocess.run(
        [*FLASK, *command],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said and "Set-up code" not in said
    assert "Counterpart cannot start" in said
    return said


@pytest.mark.parametrize("command", [("up",), ("demo", "run"), ("doctor",)])
def test_wrong_settings_are_all_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = refused(environment(tmp_path, PORT="x", PUBLIC_URL="somewhere", LOG_LEVEL="loud"), *command)
    assert all(f"COUNTERPART_{name} must be" in said for name in ("PORT", "PUBLIC_URL", "LOG_LEVEL"))
    assert not list(tmp_path.iterdir()), "nothing may be created before"


@pytest.mark.parametrize("content", [b"", b"short\n"])
def test_a_key_file_without_a_valid_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / key_file.NAME).write_bytes(content)
    assert str(tmp_path / key_file.NAME) in refused(environment(tmp_path), "up")
    assert (tmp_path / key_file.NAME).read_bytes() == content


def test_a_taken_port_is_found_before_a_set_up_code_is_made(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environ["COUNTERPART_PORT"])))
        taken.listen()
        said = refused(environ, "up")
        assert f"Port {environ['COUNTERPART_PORT']} is already in use." in said and "COUNTERPART_PORT" in said
    assert not (tmp_path / "counterpart.sqlite").exists()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    assert f"{host} is not an address of this machine" in refused(environment(tmp_path, HOST=host), "up")


@pytest.mark.parametrize("command", [("up",), ("worker",), ("keys", "check")])
def test_an_unreachable_database(tmp_path: Path, command: tuple[str, ...]) -> None:
    environ = environment(tmp_path, DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert "The database does not answer." in refused(environ, *command)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody can write to, root included."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.getuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("settings", [{}, {"SECRET_KEYS": "k" * 40}, {"STORAGE_URL": "file:///tmp"}])
def test_a_folder_that_cannot_be_written(read_only: Path, settings: dict[str, str]) -> None:
    said = refused(environment(read_only, **settings), "up")
    assert (
        str(read_only) in said and "user that runs Counterpart" in said
    ) or "COUNTERPART_STORAGE_URL" in said


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    first = Process("first", [*FLASK, "up"], environ, tmp_path / "first.log")
    first.start()
    try:
        until(lambda: answers(f"{environ['COUNTERPART_PUBLIC_URL']}/health/live"), "the first")
        other = {**environ, "COUNTERPART_PORT": str(free_port())}
        for command in (("up",), ("demo", "run", "--practice-port", str(free_port()))):
            said = refused(other, *command)
            assert f"It is already running on {tmp_path}" in said and first.running
            assert f"as process {first.running.pid}" in said
        assert first.said().count("Set-up code") == 1
    finally:
        first.stop()
    second = Process("second", [*FLASK, "up"], environ, tmp_path / "second.log")
    second.start()
    try:
        until(lambda: "Set-up code" in second.said(), "the second start, after the first has ended")
    finally:
        second.stop()


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    file = folder / "data" / "counterpart.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []  # not there yet


def kill_group(process: Process) -> None:
    """Kill all its processes at once, like a power cut."""
    assert process.running
    os.killpg(process.running.pid, signal.SIGKILL)
    process.running.wait()
    time.sleep(1)  # its children end after it


def test_an_interrupted_first_demo_is_completed(tmp_path: Path) -> None:
    port, practice_port = free_port(), free_port()
    for reached in ("SELECT 1 FROM member", "SELECT 1 FROM document"):
        process = demo(tmp_path, port, practice_port)
        process.start()
        until(lambda query=reached: rows(tmp_path, query) != [], reached)
        kill_group(process)
    files = sum(len(contents) for _, _, _, contents, _ in MATTERS)
    assert len(rows(tmp_path, "SELECT 1 FROM document")) < files, "it was not interrupted half-way"
    (tmp_path / "demo.log").unlink()
    process = demo(tmp_path, port, practice_port)
    process.start()
    try:
        until(lambda: "Ctrl-C stops everything" in process.said(), "The welcome")
    finally:
        process.stop()
    assert "Traceback" not in process.said()
    assert len(rows(tmp_path, "SELECT 1 FROM member")) == len(PEOPLE)
    assert len(rows(tmp_path, "SELECT 1 FROM matter")) == len(MATTERS)
    assert len(rows(tmp_path, "SELECT 1 FROM document")) == files
    assert rows(tmp_path, "SELECT count(*), sum(is_enabled) FROM server") == [(1, 1)]
