"""The turn to write: whoever has other work lets the thread that has it finish first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from models import turns
from models.turns import let_others_go_on, let_writer_finish, turn_to_write

SOON, LONG = 0.05, 10.0


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path}/turns.db")


@contextmanager
def somebody_writing(database: Engine) -> Iterator[threading.Event]:
    """Another thread has the turn until the event is set."""
    has_it, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with turn_to_write(database):
            has_it.set()
            may_end.wait(LONG)

    writer = threading.Thread(target=write)
    writer.start()
    assert has_it.wait(LONG)
    try:
        yield may_end
    finally:
        may_end.set()
        writer.join(LONG)


def letting_finish() -> threading.Event:
    """Set when a thread that let the writer finish goes on."""
    goes_on = threading.Event()

    def work() -> None:
        let_writer_finish()
        goes_on.set()

    threading.Thread(target=work, daemon=True).start()
    return goes_on


def test_others_wait_until_the_writer_has_finished(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_SECONDS", LONG)
    with somebody_writing(database) as may_end:
        goes_on = letting_finish()
        assert not goes_on.wait(SOON)
        may_end.set()
        assert goes_on.wait(LONG)


def test_nobody_waits_for_long(database: Engine) -> None:
    with somebody_writing(database):
        assert letting_finish().wait(LONG)


def test_the_writer_does_not_wait_for_himself(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_SECONDS", None)
    with turn_to_write(database):
        let_writer_finish()


def test_nobody_waits_when_a_writer_fell_over(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_SECONDS", None)
    with pytest.raises(ZeroDivisionError), turn_to_write(database):
        raise ZeroDivisionError
    assert letting_finish().wait(LONG)


def test_nobody_waits_for_what_the_disk_has_to_do(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_SECONDS", None)
    with turn_to_write(database):
        let_others_go_on()
        assert letting_finish().wait(LONG)
