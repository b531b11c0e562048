"""Saving documents, step by step against the practice iManage: once each, whatever is lost on the way."""

from __future__ import annotations

import uuid

import pytest

from models import TransferItem, utcnow
from services.core.unit_of_work import unit_of_work
from services.execution import steps
from services.transfers import control
from simulator import Fault
from tests.support.transfers import (
    Desk,
    add_version,
    carry,
    carry_all,
    crash_at,
    drafts_id,
    got_document,
    items_of,
    links,
    save,
    sha256,
    skip_wait,
    stored,
)

CONTENT = b"A counterpart of the agreement.\n" * 4000


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
        assert item.state == "resolving"
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
    crash_at(item_id, steps.STEPS, "resolve")
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, item_id)
        item.state, item.receipt = "sending", None
    assert carry(item_id).state == "done"
    assert stored(desk, "Drafts").count(sha256(content)) == 1


def test_a_new_version_goes_onto_the_twin(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    before = desk.practice.world.named("SPA – Project Heron").latest.number
    add_version(desk, document_id, CONTENT + b"v-next")
    (item,) = carry_all(save(desk, document_id, "new_version", twin_id))
    assert item.state == "done", item.error_sentence
    after = desk.practice.world.named("SPA – Project Heron")
    assert after.latest.number == before + 1
    assert after.latest.content.sha256 == sha256(CONTENT + b"v-next")


def test_replacing_puts_the_bytes_in_place_of_the_latest_version(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    before = desk.practice.world.named("SPA – Project Heron").latest.number
    add_version(desk, document_id, CONTENT + b"in place")
    (item,) = carry_all(save(desk, document_id, "replace", twin_id))
    assert item.state == "done", item.error_sentence
    after = desk.practice.world.named("SPA – Project Heron").latest
    assert (after.number, after.content.sha256) == (before, sha256(CONTENT + b"in place"))


@pytest.mark.parametrize("target", ["new_version", "replace"])
def test_what_the_pop_up_hands_over_is_saved_onto_the_twin(desk: Desk, target: str) -> None:
    document_id, _twin_id = got_document(desk)
    before = desk.practice.world.named("SPA – Project Heron").latest.number
    content = CONTENT + f"by the page, {target}".encode()
    add_version(desk, document_id, content)
    address = f"/documents/{document_id}/save/{desk.server.id}"
    page = desk.browser.page(address, htmx=True)
    sent = {"request_key": page.value_of("request_key"), "twin": page.value_of("twin"), "target": target}
    answer = desk.browser.post(address, sent, htmx=True)
    (item,) = carry_all(uuid.UUID(answer.headers["HX-Redirect"].rsplit("/", 1)[-1]))
    assert item.state == "done", item.error_sentence
    after = desk.practice.world.named("SPA – Project Heron").latest
    assert after.number == before + (target == "new_version")
    assert after.content.sha256 == sha256(content)


def test_retrying_a_save_whose_outcome_is_unknown_looks_first(desk: Desk) -> None:
    content = CONTENT + b"unknown"
    document_id = desk.add_document("Unknown.docx", content)
    transfer_id = save(desk, document_id, "new_document", drafts_id(desk))
    (item_id,) = (item.id for item in items_of(transfer_id))
    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$", times=1))
    crash_at(item_id, steps.STEPS, "resolve")
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, item_id)
        item.receipt, item.state = None, "failed"
        item.transfer.finished_at = utcnow()
    (again,) = carry_all(control.retry_failed(desk.actor, transfer_id, uuid.uuid4()))
    assert again.state == "done"
    assert stored(desk, "Drafts").count(sha256(content)) == 1
