"""Progress is written for all runs at once, seldom, and never over what has been decided since."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from copying.errors import DifferentContentError
from copying.values import Progress
from models import TransferItem, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.execution import item_run
from services.execution.item_run import ItemRun
from services.execution.progress import ProgressFlusher
from tests.support.transfers import Desk, begin, drafts_id, items_of, save


def moving(desk: Desk, name: str) -> ItemRun:
    """One that has been moving for a while."""
    document_id = desk.add_document(name, name.encode() * 400)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    running, _step = begin(item.id)
    running.moves_since = time.monotonic() - 1.0
    return running


@pytest.fixture
def running(desk: Desk) -> Iterator[ItemRun]:
    running = moving(desk, "Side letter.docx")
    with item_run.active(running):
        yield running


def row_of(running: ItemRun) -> TransferItem:
    session().rollback()
    return session().get_one(TransferItem, running.item_id)


def changed(running: ItemRun, **values: object) -> None:
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, running.item_id)
        for name, value in values.items():
            setattr(item, name, value)


def test_it_is_running_before_its_first_byte_and_then_as_far_as_it_is(running: ItemRun) -> None:
    flusher = ProgressFlusher()
    changed(running, attempt=2)
    flusher.flush()
    item = row_of(running)
    assert (item.state, item.bytes_done, item.progress_at, item.attempt) == ("running", 0, None, 2)
    began = item.state_at
    running.progress = Progress(500, 1000)
    flusher.flush()
    item = row_of(running)
    assert (item.state, item.bytes_done, item.size, item.attempt) == ("running", 500, 1000, 0)
    assert item.progress_at is not None
    assert item.state_at == began
    running.progress = Progress(750, None)
    flusher.flush()
    assert (row_of(running).bytes_done, row_of(running).size) == (750, 1000)


def test_what_has_not_come_on_is_not_written_again(running: ItemRun) -> None:
    flusher = ProgressFlusher()
    running.progress = Progress(500, 1000)
    flusher.flush()
    changed(running, bytes_done=1)
    flusher.flush()
    assert row_of(running).bytes_done == 1
    running.progress = Progress(501, 1000)
    flusher.flush()
    assert row_of(running).bytes_done == 501


def test_what_has_only_just_begun_is_not_shown(running: ItemRun) -> None:
    running.moves_since, running.progress = time.monotonic(), Progress(500, 1000)
    ProgressFlusher().flush()
    assert (row_of(running).state, row_of(running).bytes_done) == ("waiting", 0)


@pytest.mark.parametrize("decided", [{"state": "stopped"}, {"fencing_token": 9}])
def test_what_was_decided_meanwhile_stays(running: ItemRun, decided: dict[str, object]) -> None:
    changed(running, state_at=utcnow(), **decided)
    running.progress = Progress(500, 1000)
    ProgressFlusher().flush()
    assert (row_of(running).state, row_of(running).bytes_done) == (decided.get("state", "waiting"), 0)


def test_the_same_wrong_bytes_again_do_not_count_as_coming_on(running: ItemRun) -> None:
    changed(running, attempt=2, error_code=DifferentContentError.code)
    running.progress = Progress(500, 1000)
    ProgressFlusher().flush()
    assert (row_of(running).bytes_done, row_of(running).attempt) == (500, 2)


def test_all_that_move_are_shown(running: ItemRun, desk: Desk) -> None:
    several = [running, *(moving(desk, f"Schedule {number}.docx") for number in range(2))]
    with ExitStack() as under_way:
        for number, each in enumerate(several):
            under_way.enter_context(item_run.active(each))
            each.progress = Progress(100 + number, 1000)
        ProgressFlusher().flush()
        assert [row_of(each).bytes_done for each in several] == [100, 101, 102]
        assert {row_of(each).state for each in several} == {"running"}
