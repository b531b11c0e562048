"""Checkpoints of SQLite's write-ahead log: they run beside writers, not within a commit."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest

from models import WorkerHeartbeat
from services.core.unit_of_work import checkpoint, session, unit_of_work
from services.operations import worker_heartbeats

AUTOCHECKPOINT_PAGES = 1000
"""SQLite's default (https://sqlite.org/pragma.html#pragma_wal_autocheckpoint)."""


@pytest.fixture
def file(database: None) -> Path:
    checkpoint()  # what earlier tests wrote
    return Path(str(session().get_bind().engine.url.database))


def record_heartbeat() -> str:
    """Commit a row with a random name, by which it is found in a file."""
    name = uuid.uuid4().hex
    worker_heartbeats.record(name)
    return name


def contains(file: Path, name: str) -> bool:
    """In another process, because closing the file in this one would release SQLite's locks on it."""
    return subprocess.run(["grep", "--quiet", "--text", name, str(file)], check=False).returncode == 0


def test_a_checkpoint_moves_the_log_into_the_database(file: Path) -> None:
    name = record_heartbeat()
    assert not contains(file, name)
    checkpoint()
    assert contains(file, name)


def test_a_checkpoint_runs_beside_a_writer(file: Path) -> None:
    name = record_heartbeat()
    with unit_of_work() as writing:
        writing.add(WorkerHeartbeat(worker_id="unfinished"))
        writing.flush()
        checkpoint()
        assert contains(file, name) and not contains(file, "unfinished")


def test_commits_rarely_have_to_checkpoint(file: Path) -> None:
    name = record_heartbeat()
    for _ in range(AUTOCHECKPOINT_PAGES):  # a page or more each
        record_heartbeat()
    assert not contains(file, name)
