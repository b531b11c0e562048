"""SQLite's log: moved into the file beside those who write, and by none of them in the midst of a commit."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

import pytest

from models import WorkerHeartbeat
from services.core.unit_of_work import checkpoint, session, unit_of_work
from services.operations import worker_heartbeats

PAGES_BEFORE = 1000
"""SQLite's own number."""


@pytest.fixture
def file(database: None) -> Path:
    checkpoint()  # of what was written before
    return Path(str(session().get_bind().engine.url.database))


def beat() -> str:
    """Something that is on record, and by which it is found in a file."""
    name = uuid.uuid4().hex
    worker_heartbeats.record(name)
    return name


def holds(file: Path, name: str) -> bool:
    """Another process looks: whoever opens and closes the file here takes SQLite its locks on it."""
    return subprocess.run(["grep", "--quiet", "--text", name, str(file)], check=False).returncode == 0


def test_the_log_is_moved_into_the_file(file: Path) -> None:
    name = beat()
    assert not holds(file, name)
    checkpoint()
    assert holds(file, name)


def test_it_is_moved_beside_whoever_writes(file: Path) -> None:
    name = beat()
    with unit_of_work() as writing:
        writing.add(WorkerHeartbeat(executor_id="unfinished"))
        writing.flush()
        checkpoint()
        assert holds(file, name) and not holds(file, "unfinished")


def test_whoever_commits_seldom_has_to_do_it(file: Path) -> None:
    name = beat()
    for _ in range(PAGES_BEFORE):  # a page or more each
        beat()
    assert not holds(file, name)
