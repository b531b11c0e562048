"""What wakes an idle worker: a commit of another process's connection, on both databases."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import psycopg
import pytest

from config import libpq_url
from jobs import wake
from jobs.duties import Duties
from tests.support import postgres
from tests.support.worker_processes import until

SOON = 5.0


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def wal_database(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "counterpart.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE row (value)")
    return connection


def test_a_commit_to_sqlite_wakes_and_another_file_does_not(tmp_path: Path, stop: threading.Event) -> None:
    changed = threading.Event()
    with closing(wal_database(tmp_path)) as other:
        wake.start(f"sqlite:///{tmp_path / 'counterpart.sqlite'}", stop, changed)
        time.sleep(0.3)
        changed.clear()
        (tmp_path / "another").write_text("x")
        assert not changed.wait(0.5)
        other.execute("INSERT INTO row VALUES (1)")
        assert changed.wait(SOON)


@pytest.fixture
def server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


def test_a_notification_of_postgresql_wakes(server: str, stop: threading.Event) -> None:
    changed = threading.Event()
    wake.start(server, stop, changed)
    assert changed.wait(SOON), "once when it begins to listen"
    time.sleep(0.3)
    changed.clear()
    with closing(psycopg.connect(libpq_url(server), autocommit=True)) as other:
        other.execute(f"NOTIFY {wake.CHANNEL}")
    assert changed.wait(SOON)


def test_without_notifications_it_polls(tmp_path: Path, stop: threading.Event) -> None:
    changed = threading.Event()
    wake.start(f"sqlite:///{tmp_path / 'no folder' / 'counterpart.sqlite'}", stop, changed)
    for _ in range(2):
        assert changed.wait(SOON)
        changed.clear()


def test_an_idle_worker_reads_the_queue_after_a_change_only(tmp_path: Path) -> None:
    read: list[float] = []

    def take_due() -> bool:
        read.append(time.monotonic())
        return False

    with closing(wal_database(tmp_path)) as other:
        duties = Duties(f"sqlite:///{tmp_path / 'counterpart.sqlite'}", nullcontext)
        worker = threading.Thread(target=duties.work, args=(threading.Event(), take_due))
        worker.start()
        until(lambda: duties.are_resting, "the rest", SOON)
        time.sleep(0.5)
        before = len(read)
        time.sleep(1.0)
        assert len(read) <= before + 1
        other.execute("INSERT INTO row VALUES (1)")
        until(lambda: len(read) > before, "a reading", SOON)
        duties.stop()
        worker.join(SOON)
        assert not worker.is_alive()
