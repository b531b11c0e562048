"""Real worker processes against the practice iManage, killed, stopped and suspended: each document moves once."""

from __future__ import annotations

import os
import signal
import uuid
from collections import Counter
from pathlib import Path

from jobs.worker import NICENESS
from models import Transfer, TransferItem
from services.core.unit_of_work import session
from services.transfers.states import LIVE
from simulator import Fault
from simulator.contents import Generated
from tests.support.transfers import (
    Desk,
    drafts_id,
    items_of,
    links,
    sha256,
    skip_wait,
    stored,
    versions,
)
from tests.support.transfers import get as begin_get
from tests.support.transfers import save as begin_save
from tests.support.worker_processes import Workers, until

LARGE = 48 << 20
CONTENT = b"A counterpart of the agreement.\n" * 4000


def get(desk: Desk, *sources: str) -> list[uuid.UUID]:
    return [item.id for item in items_of(begin_get(desk, *sources))]


def save(desk: Desk, name: str, content: bytes) -> uuid.UUID:
    """Save a new document into Drafts."""
    document_id = desk.add_document(name, content)
    (item,) = items_of(begin_save(desk, document_id, "new_document", drafts_id(desk)))
    return item.id


def row(item_id: uuid.UUID) -> TransferItem:
    session().rollback()
    return session().get_one(TransferItem, item_id)


def states(*item_ids: uuid.UUID) -> set[str]:
    return {row(item_id).state for item_id in item_ids}


def all_done(*item_ids: uuid.UUID) -> bool:
    now = [row(item_id) for item_id in item_ids]
    assert all(item.state in LIVE | {"done"} for item in now), [
        (item.state, item.error_code, item.error_sentence) for item in now
    ]
    return {item.state for item in now} == {"done"}


def stored_count(desk: Desk, content: bytes) -> int:
    """How often the practice iManage holds these bytes in Drafts."""
    return stored(desk, "Drafts").count(sha256(content))


def add_large_document(desk: Desk, name: str) -> str:
    """Add a large document to the practice iManage and return its id."""
    folder = desk.practice.world.folder("Drafts", "Active")
    content = Generated(LARGE, seed=len(name))
    return desk.practice.world.add_document(folder, name, "bin", content, "ALICE").id()


def large_content(mark: bytes) -> bytes:
    """More than the buffers of a connection hold, so that a peer that does not read blocks the sender."""
    return mark * ((12 << 20) // len(mark))


def downloads(desk: Desk, document_id: str) -> list[int]:
    """The number of bytes of each download of the document."""
    return [call.bytes_out for call in desk.practice.requests if f"{document_id}/download" in call.path]


def uploads(desk: Desk) -> int:
    return sum(call.method == "POST" and call.path.endswith("/documents") for call in desk.practice.requests)


def test_work_requested_without_a_worker_is_done_when_one_starts(desk: Desk, workers: Workers) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    odd = desk.practice.world.named("Archive.tar")
    items = [*get(desk, spa.id(), odd.id()), save(desk, "Worked.docx", CONTENT + b"worked")]
    workers.start()
    items.append(save(desk, "Worked too.docx", CONTENT + b"worked too"))
    until(lambda: all_done(*items), "all four")
    assert stored_count(desk, CONTENT + b"worked") == stored_count(desk, CONTENT + b"worked too") == 1
    assert Counter(link.direction for link in links()) == {"got": 2, "saved": 2}
    assert all(session().get_one(Transfer, row(item).transfer_id).finished_at for item in items)


def test_a_worker_gives_way_to_pages(desk: Desk, workers: Workers) -> None:
    worker = workers.start()
    pid = worker.process.pid
    until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == NICENESS, "the worker to be nice")
    of_session = Path(f"/proc/{pid}/autogroup")
    if of_session.exists():  # Linux schedules sessions before processes
        until(lambda: of_session.read_text().endswith(f" nice {NICENESS}\n"), "its session to be nice")


def test_another_worker_resumes_after_a_kill(desk: Desk, workers: Workers) -> None:
    """Killed during a download, during an upload, and when an upload has just been stored."""
    faults = desk.practice.faults
    cut, stored = large_content(b"killed while sending"), CONTENT + b"killed when stored"
    document = add_large_document(desk, "Data room export")
    faults.add(Fault("trickle", path=f"{document}/download", at=LARGE // 2, rate=1))
    holder = workers.start()
    got = get(desk, document)[0]
    until(lambda: row(got).bytes_done >= LARGE // 2 - (2 << 20), "half of the download")
    faults.add(Fault("slow", method="POST", path="/documents$", seconds=60))
    sent = save(desk, "Killed while sending.bin", cut)
    until(lambda: states(sent) == {"sending"} and uploads(desk) == 1, "the upload")
    stall = faults.add(Fault("stall", method="POST", path="/documents$", at=0, seconds=60))
    arrived = save(desk, "Killed when stored.docx", stored)
    until(lambda: faults.times_applied(stall) and stored_count(desk, stored), "the stored document")
    holder.kill()
    faults.clear()
    workers.start(fast_takeover=True)
    until(lambda: row(got).fencing_token > 1, "the takeover", 30)
    until(
        lambda: states(sent) == {"resolving"} and row(sent).wait_until,
        "the wait before the outcome is resolved",
    )
    skip_wait(sent, sent_long_ago=True)
    until(lambda: all_done(got, sent, arrived), "all three")
    assert stored_count(desk, cut) == stored_count(desk, stored) == 1
    assert uploads(desk) == 3 and row(sent).sends == 2 and row(arrived).sends == 1
    assert Counter(link.direction for link in links()) == {"got": 1, "saved": 2}
    assert len(versions()) == 3
    _first, second = downloads(desk, document)
    assert second <= LARGE // 2 + (3 << 20), "bytes that were already here were requested again"


def test_a_worker_told_to_stop_releases_its_items_at_once(desk: Desk, workers: Workers) -> None:
    """Also while iManage is silent for a minute: the process does not wait for the response."""
    faults = desk.practice.faults
    document, silent = add_large_document(desk, "Told to stop"), add_large_document(desk, "Silent")
    faults.add(Fault("trickle", path=f"{document}/download", at=LARGE // 2, rate=300_000))
    stall = faults.add(Fault("stall", path=f"{silent}/download", at=LARGE // 4, seconds=60))
    holder = workers.start()
    items = get(desk, document, silent)
    until(lambda: row(items[0]).bytes_done > LARGE // 3 and faults.times_applied(stall), "both downloads")
    assert holder.stop() < 10
    assert row(items[0]).state == "waiting"
    faults.clear()
    workers.start()
    until(lambda: all_done(*items), "both", 12)
    assert len(versions()) == 2
    assert all(later < LARGE for _first, later in (downloads(desk, document), downloads(desk, silent)))


def test_a_worker_that_wakes_after_a_takeover_does_nothing_more(desk: Desk, workers: Workers) -> None:
    faults = desk.practice.faults
    content, document = large_content(b"asleep"), add_large_document(desk, "Asleep")
    faults.add(Fault("trickle", path=f"{document}/download", at=LARGE // 2, rate=1_000_000))
    slow = faults.add(Fault("slow", method="POST", path="/documents$", seconds=20))
    sleeper = workers.start()
    got, sent = get(desk, document)[0], save(desk, "Asleep.bin", content)
    until(lambda: row(got).bytes_done > LARGE // 3 and faults.times_applied(slow), "both to be in flight")
    sleeper.signal(signal.SIGSTOP)
    workers.start(fast_takeover=True)
    until(lambda: row(got).fencing_token > 1 and row(sent).fencing_token > 1, "the takeover", 30)
    until(
        lambda: states(sent) == {"resolving"} and row(sent).wait_until,
        "the wait before the outcome is resolved",
    )
    faults.clear()
    until(lambda: all_done(got), "the download, whose first half the suspended worker still holds")
    assert downloads(desk, document)[-1] == LARGE, (
        "a partial file locked by the suspended worker cannot be resumed"
    )
    sleeper.signal(signal.SIGCONT)
    assert stored_count(desk, content) == 0, "the suspended worker's upload was stored"
    skip_wait(sent, sent_long_ago=True)
    until(lambda: all_done(sent), "the upload")
    assert stored_count(desk, content) == 1
    assert len(versions()) == 2 and len(links()) == 2
    assert sleeper.process.poll() is None


def test_two_workers_move_twenty_documents_once_each(desk: Desk, workers: Workers) -> None:
    workers.start()
    workers.start()
    folder = desk.practice.world.folder("Drafts", "Active")
    add = desk.practice.world.add_document
    named = [add(folder, f"Closing {n}", "txt", CONTENT + bytes([n]), "ALICE") for n in range(15)]
    contents = [CONTENT + b"crowd" + bytes([n]) for n in range(5)]
    desk.practice.forget_requests()
    items = get(desk, *(document.id() for document in named))
    items += [save(desk, f"Crowd {n}.docx", content) for n, content in enumerate(contents)]
    until(lambda: all_done(*items), "all twenty")
    assert len(versions()) == len(links()) == 20
    assert [stored_count(desk, content) for content in contents] == [1] * 5
    assert all(len(downloads(desk, document.id())) == 1 for document in named)
    assert uploads(desk) == 5
    assert {row(item).sends for item in items[15:]} == {1}
