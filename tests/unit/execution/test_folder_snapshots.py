"""How often a folder is read for many saves at once, and what is learnt of a server's way with comments."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from copying.values import Known
from imanage.ids import VersionId
from services.execution import folder_snapshots
from services.execution.folder_snapshots import Baseline, keeps_marks, note_comment, shared

MEMBER, SERVER, FOLDER = uuid.uuid4(), uuid.uuid4(), "Active!55"
MARK = "[Counterpart 0123456789ab]"


class Folder:
    """Each reading finds one document more, and waits where it is told to."""

    def __init__(self) -> None:
        self.readings = 0
        self.under_way = threading.Event()
        self.resumes = threading.Event()
        self.resumes.set()

    def read(self) -> Baseline:
        self.readings += 1
        found = tuple(Known(VersionId("Active", number, 1), None) for number in range(self.readings))
        self.under_way.set()
        assert self.resumes.wait(10)
        return found

    def ask(self, *, by_mark: bool) -> int:
        return len(shared(MEMBER, SERVER, FOLDER, self.read, by_mark=by_mark))


@pytest.fixture
def folder() -> Iterator[Folder]:
    folder_snapshots._readings.clear()
    yield Folder()
    folder_snapshots._readings.clear()


def test_where_the_mark_tells_a_reading_is_good_for_a_while(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [folder.ask(by_mark=True) for _ in range(3)] == [1, 1, 1]
    monkeypatch.setattr(folder_snapshots, "MAX_AGE_SECONDS", 0.0)
    monkeypatch.setattr(folder_snapshots, "MAX_AGE_IN_READS", 0.0)
    assert folder.ask(by_mark=True) == 2


def test_what_took_long_to_read_is_good_for_longer(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_snapshots, "MAX_AGE_SECONDS", 0.0)
    folder.resumes.clear()
    threading.Timer(0.2, folder.resumes.set).start()
    assert [folder.ask(by_mark=True) for _ in range(3)] == [1, 1, 1]
    assert folder.ask(by_mark=False) == 2


def test_before_a_reading_is_too_old_one_reads_anew_and_the_others_use_the_old_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.ask(by_mark=True) == 1
    monkeypatch.setattr(folder_snapshots, "MAX_AGE_SECONDS", 60.0)
    half_over = folder_snapshots._readings[MEMBER, SERVER, FOLDER]
    half_over.at -= 31.0
    folder.under_way.clear()
    folder.resumes.clear()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(folder.ask, by_mark=True)
        assert folder.under_way.wait(10)
        assert pool.submit(folder.ask, by_mark=True).result(10) == 1
        folder.resumes.set()
        assert one.result(10) == 2
    assert folder.ask(by_mark=True) == 2


def test_where_it_does_not_every_save_uses_a_reading_that_began_after_its_request(
    folder: Folder,
) -> None:
    assert [folder.ask(by_mark=False) for _ in range(3)] == [1, 2, 3]


def test_those_who_ask_while_one_reads_share_the_next_reading(folder: Folder) -> None:
    folder.resumes.clear()
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(folder.ask, by_mark=False)
        assert folder.under_way.wait(10)
        asked = threading.Barrier(11)

        def ask() -> int:
            asked.wait(10)
            return folder.ask(by_mark=False)

        others = [pool.submit(ask) for _ in range(10)]
        asked.wait(10)
        threading.Event().wait(0.2)  # every one of them has asked by now
        folder.resumes.set()
        assert first.result(10) == 1
        assert {other.result(10) for other in others} == {2}


@pytest.mark.parametrize("comment", [None, "", "Final form", MARK[:-2]])
def test_a_save_that_came_back_without_its_mark_takes_the_trust_away(comment: str | None) -> None:
    server = uuid.uuid4()
    assert not keeps_marks(server)
    note_comment(server, MARK, f"Final form {MARK}")
    assert keeps_marks(server)
    assert not keeps_marks(uuid.uuid4())
    note_comment(server, MARK, comment)
    assert not keeps_marks(server)
    note_comment(server, None, comment)
    assert not keeps_marks(server)
