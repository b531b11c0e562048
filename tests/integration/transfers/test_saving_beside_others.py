"""A lost answer while the same person stores the same bytes in iManage themselves: theirs are never taken for ours."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from models import TransferItem
from services.execution import folder_snapshots
from services.transfers import decisions
from simulator import Fault
from tests.support.transfers import (
    Desk,
    carry,
    carry_all,
    drafts_id,
    items_of,
    links,
    save,
    sha256,
    skip_wait,
    stored,
)


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Nothing has been read, and nothing is known of any server."""
    folder_snapshots._readings.clear()
    folder_snapshots._marks_kept.clear()
    yield
    folder_snapshots._readings.clear()
    folder_snapshots._marks_kept.clear()


def one(desk: Desk, name: str, content: bytes) -> uuid.UUID:
    document_id = desk.add_document(f"{name}.docx", content)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    return item.id


def arrives(desk: Desk, name: str) -> None:
    """A save before ours, which reads the folder and shows what becomes of its mark."""
    document_id = desk.add_document(f"{name}.docx", name.encode())
    (item,) = carry_all(save(desk, document_id, "new_document", drafts_id(desk)))
    assert item.state == "done", item.error_sentence


def stores_the_same_in_imanage(desk: Desk, content: bytes) -> str:
    folder = desk.practice.world.folder("Drafts", "Active")
    return desk.practice.world.add_document(folder, "By hand", "docx", content, "ALICE").id()


def loses(desk: Desk, kind: str) -> None:
    desk.practice.faults.add(Fault(kind, method="POST", path="/documents$", times=1))


def ends(item_id: uuid.UUID) -> TransferItem:
    """Carried on until it is over or waits for a person."""
    for _ in range(3):
        item = carry(item_id)
        if item.state in {"done", "needs_decision", "failed"}:
            break
        skip_wait(item_id, sent_long_ago=True)
    return item


def readings(desk: Desk) -> int:
    return sum(
        call.method == "GET" and call.path.endswith(f"/folders/{drafts_id(desk)}/documents")
        for call in desk.practice.requests
    )


def test_where_marks_are_kept_it_is_asked_about(desk: Desk) -> None:
    content = b"kept, and not arrived"
    arrives(desk, "Before ours")
    arrives(desk, "Before ours too")
    read = readings(desk)
    theirs = stores_the_same_in_imanage(desk, content)
    loses(desk, "lost_before")
    item = ends(one(desk, "Ours", content))
    assert item.state == "needs_decision"
    assert theirs in item.error_sentence
    assert "does not carry the mark of this save" in item.error_sentence
    assert readings(desk) == read + 1, "the look-up alone reads: the announcement had the folder already"
    assert stored(desk, "Drafts").count(sha256(content)) == 1

    assert item.question is None or item.question["kind"] == "undecided"
    decisions.decide(desk.actor, item.id, "again", uuid.uuid4())
    assert ends(item.id).state == "done"
    assert stored(desk, "Drafts").count(sha256(content)) == 2
    assert [link.number for link in links()].count(int(theirs.partition("!")[2].partition(".")[0])) == 0


def test_where_marks_are_kept_ours_is_known_by_its_mark(desk: Desk) -> None:
    content = b"kept, and arrived"
    arrives(desk, "Earlier")
    arrives(desk, "Earlier too")
    theirs = stores_the_same_in_imanage(desk, content)
    loses(desk, "lost_after")
    item = ends(one(desk, "Ours that arrived", content))
    assert item.state == "done", item.error_sentence
    assert item.receipt is not None
    assert item.receipt["id"] != theirs
    assert stored(desk, "Drafts").count(sha256(content)) == 2


@pytest.mark.parametrize("is_first", [True, False], ids=["nothing known yet", "seen to be dropped"])
@pytest.mark.parametrize("lost", ["lost_before", "lost_after"])
def test_where_marks_are_dropped_the_folder_is_read_after_they_stored_it(
    desk: Desk, lost: str, is_first: bool
) -> None:
    desk.practice.settings.update({"comments": "dropped"})
    content = f"dropped, {lost}, {is_first}".encode()
    if not is_first:
        arrives(desk, f"Earlier, {lost}")
    theirs = stores_the_same_in_imanage(desk, content)
    loses(desk, lost)
    item = ends(one(desk, f"Ours, {lost}, {is_first}", content))
    assert item.state == "done", item.error_sentence
    assert item.receipt is not None
    assert item.receipt["id"] != theirs
    assert stored(desk, "Drafts").count(sha256(content)) == 2


def test_many_saves_cost_no_reading_each(desk: Desk) -> None:
    arrives(desk, "The first of many")
    read = readings(desk)
    for number in range(6):
        arrives(desk, f"One of many, {number}")
    assert readings(desk) <= read + 1
