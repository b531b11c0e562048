"""SQLite's log: moved into the file beside those who write, and by none of them in the midst of a commit."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from models import WorkerHeartbeat
from models.base import LOG_PAGES
from services import workers
from services.unit import session, tidy, unit

PAGES_BEFORE = 1000
"""SQLite's own number."""


@pytest.fixture
def file(database: None) -> Path:
    return Path(str(session().get_bind().engine.url.database))


def beat() -> bytes:
    """Something that is on record, and by which it is found in a file."""
    name = uuid.uuid4().hex
    workers.beat(name)
    return name.encode()


def test_the_log_is_moved_into_the_file(file: Path) -> None:
    name = beat()
    assert name not in file.read_bytes()
    tidy()
    assert name in file.read_bytes()


def test_it_is_moved_beside_whoever_writes(file: Path) -> None:
    name = beat()
    with unit() as writing:
        writing.add(WorkerHeartbeat(executor_id="unfinished"))
        writing.flush()
        tidy()
        assert name in file.read_bytes() and b"unfinished" not in file.read_bytes()


def test_whoever_commits_seldom_has_to_do_it(file: Path) -> None:
    tidy()
    name = beat()
    while Path(f"{file}-wal").stat().st_size < 2 * PAGES_BEFORE * 4096:
        beat()
    assert name not in file.read_bytes() and LOG_PAGES > 2 * PAGES_BEFORE
