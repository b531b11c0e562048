"""`flask demo run`, which `make demo` calls: it prints its addresses, stops on Ctrl-C and keeps its data."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

import pytest
import requests

import key_file
from commands.demo_firm import ADMIN, PASSWORD, PEOPLE
from commands.demo_welcome import QUOTAS
from config import Settings
from services.matters.quotas import Scope
from tests.support.processes import process_list
from tests.support.stack import Process, demo, free_port, until


@contextmanager
def started(folder: Path, port: int, practice_port: int, **settings: str) -> Iterator[Process]:
    """A running demo, stopped at the end also when the test fails."""
    process = demo(folder, port, practice_port, **settings)
    process.start()
    try:
        yield process
    finally:
        process.stop()


def welcome(process: Process) -> str:
    """The terminal's output once everything answers."""
    until(lambda: "Ctrl-C stops everything" in process.said() or has_exited(process), "The welcome")
    assert not has_exited(process), process.said()
    return process.said()


def has_exited(process: Process) -> bool:
    return process.running is None or process.running.poll() is not None


def sign_in(url: str, email: str) -> requests.Response:
    """As a browser would: fetch the form for its token, then send it."""
    with requests.Session() as session:
        form = session.get(f"{url}/sign-in", timeout=10).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token, form
        sent = {"email": email, "password": PASSWORD, "csrf_token": token[1]}
        return session.post(f"{url}/sign-in", data=sent, timeout=10)


def rows(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "data" / "counterpart.sqlite")) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def test_the_demo_starts_stops_and_keeps_its_data(tmp_path: Path) -> None:
    port, practice_port = free_port(), free_port()
    url, practice_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{practice_port}"

    with started(tmp_path, port, practice_port) as first:
        said = welcome(first)
        assert url in said
        assert practice_url in said
        assert all(member.email in said for member, _ in PEOPLE)
        assert "Matters" in sign_in(url, ADMIN.member.email).text
        assert requests.get(f"{practice_url}/api", timeout=10).status_code == 200
        assert_no_secret_is_listed(first, tmp_path / "data")
        assert first.stop(signal.SIGINT) == 0
    for stopped in (url, practice_url):
        with pytest.raises(requests.ConnectionError):
            requests.get(stopped, timeout=5)
    assert "Traceback" not in first.said()
    made = {table: rows(tmp_path, table) for table in ("member", "matter", "document", "server")}
    assert made["member"] == len(PEOPLE)

    (tmp_path / "demo.log").unlink()
    with started(tmp_path, port, practice_port) as second:
        assert "Creating the demo firm" not in welcome(second)
        assert "Matters" in sign_in(url, ADMIN.member.email).text
        assert second.stop(signal.SIGTERM) == 0
    assert {table: rows(tmp_path, table) for table in made} == made


def assert_no_secret_is_listed(process: Process, data: Path) -> None:
    """No command line that users of the machine can list holds a secret."""
    assert process.running is not None
    secrets = {(data / name).read_text().strip().encode() for name in ("practice.secret", key_file.NAME)}
    listed = process_list(process.running.pid)
    assert len(listed) >= 4
    assert not any(secret in command for command, _ in listed.values() for secret in secrets)


def test_a_taken_port_is_reported_in_one_sentence(tmp_path: Path) -> None:
    port, practice_port = free_port(), free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with started(tmp_path, port, practice_port) as process:
            until(lambda: has_exited(process), "The end")
            assert process.stop() == 1
    assert f"Port {port} is already in use." in process.said()
    assert "Traceback" not in process.said()


def test_a_quota_too_small_for_the_sample_documents_is_reported(tmp_path: Path) -> None:
    with started(tmp_path, free_port(), free_port(), COUNTERPART_QUOTA_BYTES="1000000") as process:
        until(lambda: has_exited(process), "The end")
        assert process.running is not None and process.running.returncode == 1
        said = process.said()
    assert "Traceback" not in said
    assert "The demo firm could not be created. This file is " in said
    assert "Counterpart has space for" in said
    assert "Ask your System Admin" not in said
    assert "Raise COUNTERPART_QUOTA_BYTES" in said


def test_every_quota_has_its_setting() -> None:
    """Each kind of quota, with a setting that exists."""
    assert set(QUOTAS) == {f"quota.{scope}" for scope in get_args(Scope)}
    settings = dict.fromkeys(QUOTAS.values(), "1000000")
    limits = Settings.from_env(settings)
    assert {limits.quota_bytes, limits.quota_matter_bytes, limits.quota_member_bytes} == {1_000_000}
