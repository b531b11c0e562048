"""Getting and saving, step by step against the practice iManage: once each, whatever is lost on the way."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import AuditEvent, Document, Participant, Transfer, TransferItem, utcnow
from services import connections, server_access, transfer_control, transfers
from services.house import house
from services.transfers import GetCommand, SaveCommand
from services.unit import session, unit
from simulator import Fault, Lock, Simulator
from tests.support.pages import Browser
from tests.support.practice import practice_imanage, reached, sign_in_to_imanage
from tests.support.transfers import (
    Desk,
    carry,
    carry_all,
    items_of,
    links,
    make_desk,
    sha256,
    skip_wait,
    versions,
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


def get(desk: Desk, *sources: str, document_id: uuid.UUID | None = None) -> uuid.UUID:
    command = GetCommand(uuid.uuid4(), desk.matter_id, desk.server.id, sources, document_id)
    return transfers.start_get(desk.actor, command)


def save(desk: Desk, document_id: uuid.UUID, target: str, target_id: str, note: str = "") -> uuid.UUID:
    command = SaveCommand(uuid.uuid4(), document_id, desk.server.id, target, target_id, "", note)
    return transfers.start_save(desk.actor, command)


def stored(desk: Desk, folder_name: str) -> list[str]:
    """The SHA-256 of everything that a folder of the practice iManage holds."""
    folder = desk.practice.world.folder(folder_name, "Active")
    documents = desk.practice.world.documents_in(folder)
    return [version.content.sha256 for document in documents for version in document.versions]


def drafts_id(desk: Desk) -> str:
    return desk.practice.world.folder("Drafts", "Active").id


def test_two_documents_arrive_once_each_with_their_twins(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    odd = desk.practice.world.named("Archive.tar")
    transfer_id = get(desk, spa.id(), odd.id())
    assert [item.state for item in carry_all(transfer_id)] == ["done", "done"]
    assert {version.sha256 for version in versions()} == {
        spa.latest.content.sha256,
        odd.latest.content.sha256,
    }
    twins = {link.number: link for link in links()}
    assert twins[spa.number].version == spa.latest.number == 3
    assert twins[spa.number].direction == "got"
    assert twins[spa.number].url.startswith(desk.practice.url)
    assert session().get_one(Transfer, transfer_id).finished_at is not None
    events = session().scalars(select(AuditEvent.action)).all()
    assert events.count("transfer.got") == 2


def test_the_same_form_twice_makes_one_transfer(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    command = GetCommand(uuid.uuid4(), desk.matter_id, desk.server.id, (spa.id(),))
    assert transfers.start_get(desk.actor, command) == transfers.start_get(desk.actor, command)
    assert len(session().scalars(select(TransferItem)).all()) == 1


def test_getting_the_same_version_again_adds_nothing(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    carry_all(get(desk, spa.id()))
    (again,) = carry_all(get(desk, spa.id()))
    assert again.state == "done"
    assert again.warnings == ["This is version 1 here already, so nothing was added."]
    assert len(versions()) == 1


def test_a_newer_version_of_a_twin_becomes_the_next_version_here(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    carry_all(get(desk, f"Active!{spa.number}.2"))
    carry_all(get(desk, f"Active!{spa.number}.3"))
    assert [version.number for version in versions()] == [1, 2]
    assert len(session().scalars(select(Document)).all()) == 1


def test_a_cut_download_goes_on_where_it_stood(desk: Desk) -> None:
    large = desk.practice.world.named("Server image (1 GiB)")
    small = next(
        document
        for document in desk.practice.world.documents("Active")
        if 5_000_000 < document.latest.content.size < 100_000_000
    )
    assert large.latest.content.size > small.latest.content.size
    desk.practice.faults.add(Fault("cut", path="/download", fraction=0.5, times=1))
    (item_id,) = (item.id for item in items_of(get(desk, small.id())))
    waiting = carry(item_id)
    assert waiting.state == "waiting"
    assert waiting.wait_until is not None
    assert waiting.error_sentence
    skip_wait(item_id)
    done = carry(item_id)
    assert done.state == "done"
    assert done.sha256 == small.latest.content.sha256
    sizes = [call.bytes_out for call in desk.practice.requests if call.path.endswith("/download")]
    assert sum(sizes[-2:]) < small.latest.content.size * 1.3


def test_wrong_bytes_never_land(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    desk.practice.faults.add(Fault("corrupt", path="/download", at=10, times=None))
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    for _ in range(4):
        skip_wait(item_id)
        item = carry(item_id)
    assert item.state == "failed"
    assert versions() == [] and links() == []


def test_a_document_behind_an_ethical_wall_fails_with_its_reason(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    desk.practice.faults.add(Fault("status", path=f"/documents/{spa.library}!{spa.number}", status=403))
    (item,) = carry_all(get(desk, spa.id()))
    assert item.state == "failed"
    assert item.error_code == "imanage.forbidden"
    assert "does not let you" in item.error_sentence


def test_throttling_waits_as_long_as_it_is_told(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    desk.practice.faults.add(Fault("throttle", path="/documents/", reset=120, times=1))
    (item,) = carry_all(get(desk, spa.id()))
    assert item.state == "waiting"
    assert item.wait_until is not None
    assert item.wait_until > utcnow() + timedelta(seconds=100)


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


def test_an_older_holder_of_an_item_writes_nothing_more(desk: Desk) -> None:
    from services import transfer_work

    spa = desk.practice.world.named("SPA – Project Heron")
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    old = transfer_work.claim(item_id)
    assert transfer_work.advance(item_id, "begin", old) == "fetch"
    carry(item_id)
    assert transfer_work.advance(item_id, "fetch", old) == "end"
    assert transfer_work.advance(item_id, "land", old) == "end"
    assert len(versions()) == 1


def got_document(desk: Desk, name: str = "SPA – Project Heron") -> tuple[uuid.UUID, str]:
    """A document here with its twin there, by id."""
    twin = desk.practice.world.named(name)
    (item,) = carry_all(get(desk, twin.id()))
    assert item.document_id is not None
    return item.document_id, twin.id()


def add_version(desk: Desk, document_id: uuid.UUID, content: bytes) -> None:
    from services import documents

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


def test_an_ended_sign_in_waits_for_the_person_and_then_goes_on(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    desk.practice.faults.add(Fault("expire_tokens", times=1))
    desk.practice.faults.add(Fault("refuse_refresh", times=None))
    assert carry(item_id).state == "needs_sign_in"
    desk.practice.faults.clear()
    sign_in_to_imanage(desk.browser, desk.server.id)
    session().rollback()
    assert session().get_one(TransferItem, item_id).state == "waiting"
    assert carry(item_id).state == "done"


def test_switching_the_server_off_stops_what_is_under_way(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    asked = len(desk.practice.requests)
    with unit() as writing:
        writing.merge(desk.server).is_enabled = False
    item = carry(item_id)
    assert item.state == "stopped"
    assert "switched off" in item.error_sentence
    assert len(desk.practice.requests) == asked
    assert server_access.available_to(desk.actor) == ()


def test_a_member_who_left_the_matter_gets_nothing_more(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    with unit() as writing:
        place = writing.get_one(Participant, (desk.matter_id, desk.actor.id))
        place.role = "viewer"
    assert carry(item_id).state == "stopped"
    assert versions() == []


def test_cancelling_stops_what_waits_and_retry_takes_up_only_that(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    odd = desk.practice.world.named("Archive.tar")
    transfer_id = get(desk, spa.id(), odd.id())
    first, second = items_of(transfer_id)
    carry(first.id)
    transfer_control.cancel(desk.actor, transfer_id)
    states = {item.id: item.state for item in items_of(transfer_id)}
    assert states == {first.id: "done", second.id: "stopped"}
    again = transfer_control.retry_failed(desk.actor, transfer_id, uuid.uuid4())
    (item,) = carry_all(again)
    assert item.state == "done"
    assert len(versions()) == 2


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


def test_a_client_is_not_given_without_a_sign_in(desk: Desk) -> None:
    connections.disconnect(desk.actor, desk.server.id)
    spa = desk.practice.world.named("SPA – Project Heron")
    (item,) = carry_all(get(desk, spa.id()))
    assert item.state == "needs_sign_in"
