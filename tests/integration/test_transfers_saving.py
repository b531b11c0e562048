"""Saving documents, step by step against the practice iManage: once each, whatever is lost on the way."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from models import TransferItem, utcnow
from services import documents, transfer_control
from services.house import house
from services.unit import unit
from simulator import Fault, Lock, Simulator
from tests.support.pages import Browser
from tests.support.practice import practice_imanage, reached
from tests.support.transfers import (
    Desk,
    carry,
    carry_all,
    drafts_id,
    get,
    items_of,
    links,
    make_desk,
    save,
    sha256,
    skip_wait,
    stored,
)

CONTENT = b"A counterpart of the agreement.\n" * 4000


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with practice_imanage() as practice:
        yield practice


@pytest.fixture
def practice(running: Simulator, database: None) -> Iterator[Simulator]:
    with reached(running) as practice:
        yield practice


@pytest.fixture
def desk(browser: Browser, practice: Simulator) -> Desk:
    return make_desk(browser, practice)


def test_a_new_document_is_saved_once_and_linked(desk: Desk) -> None:
    document_id = desk.add_document("Side letter.docx", CONTENT)
    (item,) = carry_all(save(desk, document_id, "new_document", drafts_id(desk), "Final form"))
    assert item.state == "done", item.error_sentence
    made = desk.practice.world.named("Side letter")
    assert made.latest.content.sha256 == sha256(CONTENT)
    assert made.latest.extension.lower() == "docx"
    assert "Final form" in made.latest.comment
    (link,) = links()
    assert (link.direction, link.number, link.version) == ("saved", made.number, 1)


@pytest.mark.parametrize("lost", ["lost_after", "lost_before"])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(desk: Desk, lost: str) -> None:
    content = CONTENT + lost.encode()
    document_id = desk.add_document(f"{lost}.docx", content)
    desk.practice.faults.add(Fault(lost, method="POST", path="/documents$", times=1))
    (item_id,) = (item.id for item in items_of(save(desk, document_id, "new_document", drafts_id(desk))))
    item = carry(item_id)
    if lost == "lost_before":
        assert item.state == "looking_up"
        assert item.wait_until is not None
        skip_wait(item_id, sent_long_ago=True)
        item = carry(item_id)
    assert item.state == "done", item.error_sentence
    assert stored(desk, "Drafts").count(sha256(content)) == 1
    assert len(links()) == 1


def test_a_worker_that_died_while_sending_is_followed_by_a_look(desk: Desk) -> None:
    """The row says that a send began; whether it arrived, the successor finds out. Here it had."""
    content = CONTENT + b"died"
    document_id = desk.add_document("Died.docx", content)
    (item_id,) = (item.id for item in items_of(save(desk, document_id, "new_document", drafts_id(desk))))
    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$", times=1))
    carry(item_id, most=3)
    with unit() as writing:
        item = writing.get_one(TransferItem, item_id)
        item.state, item.receipt = "sending", None
    assert carry(item_id).state == "done"
    assert stored(desk, "Drafts").count(sha256(content)) == 1


def got_document(desk: Desk, name: str = "SPA – Project Heron") -> tuple[uuid.UUID, str]:
    """A document here with its twin there, by id."""
    twin = desk.practice.world.named(name)
    (item,) = carry_all(get(desk, twin.id()))
    assert item.document_id is not None
    return item.document_id, twin.id()


def add_version(desk: Desk, document_id: uuid.UUID, content: bytes) -> None:
    with house().blobs.writer() as writer:
        writer.write(content)
        blob = writer.publish()
    with unit() as writing:
        documents.land(
            writing,
            desk.matter_id,
            desk.actor.id,
            "SPA.docx",
            blob.sha256,
            blob.size,
            document_id=document_id,
            origin="upload",
        )


def test_a_new_version_goes_onto_the_twin(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    before = desk.practice.world.named("SPA – Project Heron").latest.number
    add_version(desk, document_id, CONTENT + b"v-next")
    (item,) = carry_all(save(desk, document_id, "new_version", twin_id))
    assert item.state == "done", item.error_sentence
    after = desk.practice.world.named("SPA – Project Heron")
    assert after.latest.number == before + 1
    assert after.latest.content.sha256 == sha256(CONTENT + b"v-next")


def test_nothing_is_sent_onto_a_document_that_has_moved_on(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    twin = desk.practice.world.named("SPA – Project Heron")
    desk.practice.world.add_version(twin, b"Somebody else was quicker.", "BRAM")
    add_version(desk, document_id, CONTENT + b"late")
    (item,) = carry_all(save(desk, document_id, "new_version", twin_id))
    assert item.state == "failed"
    assert item.error_code == "transfer.moved_on"
    assert desk.practice.world.named("SPA – Project Heron").latest.number == twin.latest.number + 1


def test_nothing_is_overwritten_while_somebody_has_it_checked_out(desk: Desk) -> None:
    document_id, _twin_id = got_document(desk)
    twin = desk.practice.world.named("SPA – Project Heron")
    desk.practice.world.set_lock(twin, Lock("BRAM", utcnow()))
    try:
        add_version(desk, document_id, CONTENT + b"locked")
        (item,) = carry_all(save(desk, document_id, "new_version", twin.id()))
    finally:
        desk.practice.world.set_lock(desk.practice.world.named("SPA – Project Heron"), None)
    assert item.state == "failed"
    assert item.error_code == "transfer.checked_out"
    assert desk.practice.world.named("SPA – Project Heron").latest.number == twin.latest.number


def test_replacing_puts_the_bytes_in_place_of_the_latest_version(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    before = desk.practice.world.named("SPA – Project Heron").latest.number
    add_version(desk, document_id, CONTENT + b"in place")
    (item,) = carry_all(save(desk, document_id, "replace", twin_id))
    assert item.state == "done", item.error_sentence
    after = desk.practice.world.named("SPA – Project Heron").latest
    assert (after.number, after.content.sha256) == (before, sha256(CONTENT + b"in place"))


def test_retrying_a_save_whose_outcome_is_unknown_looks_first(desk: Desk) -> None:
    content = CONTENT + b"unknown"
    document_id = desk.add_document("Unknown.docx", content)
    transfer_id = save(desk, document_id, "new_document", drafts_id(desk))
    (item_id,) = (item.id for item in items_of(transfer_id))
    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$", times=1))
    carry(item_id, most=3)
    with unit() as writing:
        item = writing.get_one(TransferItem, item_id)
        item.receipt, item.state = None, "failed"
        item.transfer.finished_at = utcnow()
    (again,) = carry_all(transfer_control.retry_failed(desk.actor, transfer_id, uuid.uuid4()))
    assert again.state == "done"
    assert stored(desk, "Drafts").count(sha256(content)) == 1
