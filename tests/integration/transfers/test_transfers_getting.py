"""Getting documents, and what stops any transfer, step by step against the practice iManage."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from imanage.ids import VersionId
from models import AuditEvent, Document, Participant, Transfer, TransferItem, Version, utcnow
from services.access import server_access
from services.connections import disconnecting
from services.core.errors import ConflictError
from services.core.unit_of_work import session, unit_of_work
from services.execution import steps
from services.matters import documents, participants
from services.transfers import control, requests
from services.transfers.requests import GetCommand, sources_of
from simulator import Fault
from tests.support.people import actor_of, make_member
from tests.support.practice import sign_in_to_imanage
from tests.support.transfers import (
    Desk,
    begin,
    carry,
    carry_all,
    get,
    items_of,
    links,
    skip_wait,
    versions,
)

CONTENT = b"A counterpart of the agreement.\n" * 4000


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
    command = GetCommand(uuid.uuid4(), desk.matter_id, desk.server.id, sources_of([spa.id()]))
    assert requests.start_get(desk.actor, command) == requests.start_get(desk.actor, command)
    assert len(session().scalars(select(TransferItem)).all()) == 1


def test_getting_the_same_version_again_adds_nothing(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    carry_all(get(desk, spa.id()))
    (again,) = carry_all(get(desk, spa.id()))
    assert again.state == "done"
    assert again.warnings == ["This is already version 1 here, so nothing was added."]
    assert len(versions()) == 1


def test_a_newer_version_of_a_twin_becomes_the_next_version_here(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    carry_all(get(desk, f"Active!{spa.number}.2"))
    carry_all(get(desk, f"Active!{spa.number}.3"))
    assert [version.number for version in versions()] == [1, 2]
    assert len(session().scalars(select(Document)).all()) == 1


def test_a_cut_download_is_resumed(desk: Desk) -> None:
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
    assert "do not have permission" in item.error_sentence


def test_throttling_waits_as_long_as_it_is_told(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    desk.practice.faults.add(Fault("throttle", path="/documents/", reset=120, times=1))
    (item,) = carry_all(get(desk, spa.id()))
    assert item.state == "waiting"
    assert item.wait_until is not None
    assert item.wait_until > utcnow() + timedelta(seconds=100)


def test_an_older_holder_of_an_item_writes_nothing_more(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    old, step = begin(item_id)
    carry(item_id)
    for each in (step, "land"):
        steps.carry_out(old, each)
    assert len(versions()) == 1


def test_an_ended_sign_in_waits_for_the_member_and_is_resumed(desk: Desk) -> None:
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
    with unit_of_work() as writing:
        writing.merge(desk.server).is_enabled = False
    item = carry(item_id)
    assert item.state == "stopped"
    assert "switched off" in item.error_sentence
    assert len(desk.practice.requests) == asked
    assert server_access.available_to(desk.actor) == ()


def test_a_member_who_left_the_matter_gets_nothing_more(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    with unit_of_work() as writing:
        place = writing.get_one(Participant, (desk.matter_id, desk.actor.id))
        place.role = "viewer"
    assert carry(item_id).state == "stopped"
    assert versions() == []


def test_cancelling_stops_what_waits_and_nothing_of_it_is_retried(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    odd = desk.practice.world.named("Archive.tar")
    transfer_id = get(desk, spa.id(), odd.id())
    first, second = items_of(transfer_id)
    carry(first.id)
    control.cancel(desk.actor, transfer_id)
    states = {item.id: item.state for item in items_of(transfer_id)}
    assert states == {first.id: "done", second.id: "stopped"}
    assert "Retry failed only" not in desk.browser.page(f"/transfers/{transfer_id}").text
    with pytest.raises(ConflictError, match="can be retried"):
        control.retry_failed(desk.actor, transfer_id, uuid.uuid4())
    assert len(versions()) == 1


def test_a_client_is_not_given_without_a_sign_in(desk: Desk) -> None:
    disconnecting.disconnect(desk.actor, desk.server.id)
    spa = desk.practice.world.named("SPA – Project Heron")
    (item,) = carry_all(get(desk, spa.id()))
    assert item.state == "needs_sign_in"


def current(document_id: uuid.UUID) -> tuple[int, int]:
    """The number of the current version, and how many there are."""
    session().rollback()
    document = session().get_one(Document, document_id)
    numbers = session().scalars(select(Version.number).where(Version.document_id == document_id)).all()
    assert document.current_version is not None
    return document.current_version.number, len(numbers)


def three_versions(desk: Desk) -> list[str]:
    """A document of its own there, and the ids of its versions."""
    world = desk.practice.world
    name = f"Deed {uuid.uuid4().hex[:8]}"
    there = world.add_document(world.folder("Drafts", "Active"), name, "docx", b"one", "ALICE")
    for content in (b"two", b"three"):
        there = world.add_version(there, content, "ALICE")
    return [there.id(version) for version in there.versions]


@pytest.mark.parametrize("choice", [None, "history", "current"])
def test_an_older_version_is_added_to_the_history_unless_it_is_made_current(
    desk: Desk, choice: str | None
) -> None:
    first, _, third = three_versions(desk)
    (item,) = carry_all(get(desk, third))
    assert item.document_id is not None
    sent = {"request_key": str(uuid.uuid4()), "source": first} | ({"older": choice} if choice else {})
    answer = desk.browser.post(f"/matters/{desk.matter_id}/get/{desk.server.id}", sent)
    (older,) = carry_all(uuid.UUID(answer.headers["Location"].rsplit("/", 1)[-1]))
    assert (older.state, older.document_id) == ("done", item.document_id), older.error_sentence
    assert current(item.document_id) == ((2 if choice == "current" else 1), 2)
    said = " ".join(older.warnings or [])
    assert ("added to the history as version 2 and not made current" in said) == (choice != "current")


def test_a_version_between_is_newer_than_the_one_here_and_becomes_current(desk: Desk) -> None:
    first, second, _ = three_versions(desk)
    (item,) = carry_all(get(desk, first))
    carry_all(get(desk, second))
    assert item.document_id is not None
    assert current(item.document_id) == (2, 2)


def test_all_versions_at_once_leave_the_newest_current_whatever_arrives_last(desk: Desk) -> None:
    first, second, third = three_versions(desk)
    items = items_of(get(desk, first, second, third))
    for item in (items[2], items[0], items[1]):
        assert carry(item.id).state == "done"
    (document_id,) = {item.document_id for item in items_of(items[0].transfer_id)}
    assert document_id is not None
    assert current(document_id) == (1, 3)


def test_an_older_version_of_another_document_goes_into_the_history(desk: Desk) -> None:
    first, _, third = three_versions(desk)
    document_id = desk.add_document("Ours.docx", b"ours")
    carry_all(get(desk, first, document_id=document_id))
    assert current(document_id) == (1, 2)
    carry_all(get(desk, third, document_id=document_id))
    assert current(document_id) == (3, 3)


def test_retrying_keeps_the_choice(desk: Desk) -> None:
    first, _, third = three_versions(desk)
    (item,) = carry_all(get(desk, third))
    command = GetCommand(
        uuid.uuid4(), desk.matter_id, desk.server.id, (VersionId.parse(first),), older_becomes_current=True
    )
    transfer_id = requests.start_get(desk.actor, command)
    fault = Fault("status", path="/download", status=403, times=1)
    desk.practice.faults.add(fault)
    (failed,) = carry_all(transfer_id)
    assert failed.state == "failed"
    desk.practice.faults.clear()
    carry_all(control.retry_failed(desk.actor, transfer_id, uuid.uuid4()))
    assert item.document_id is not None
    assert current(item.document_id) == (2, 2)


def test_what_a_retry_brings_is_held_from_guests_who_came_meanwhile(desk: Desk) -> None:
    first, _, _ = three_versions(desk)
    transfer_id = get(desk, first)
    desk.practice.faults.add(Fault("status", path="/download", status=403, times=1))
    assert [item.state for item in carry_all(transfer_id)] == ["failed"]
    desk.practice.faults.clear()
    guest = make_member(is_guest=True, organisation="Harbour Bank")
    participants.add(desk.actor, desk.matter_id, guest.id, "viewer")
    carry_all(control.retry_failed(desk.actor, transfer_id, uuid.uuid4()))
    assert len(versions()) == 1
    assert documents.of_matter(actor_of(guest), desk.matter_id).rows == ()


def test_a_name_that_no_file_can_have_is_told_beside_the_one_that_it_got(desk: Desk) -> None:
    world = desk.practice.world
    desk.practice.settings.update({"name_rule": "keep"})
    there = world.add_document(
        world.folder("Drafts", "Active"), "Why? <draft>\u202ecod", "docx", b"why", "ALICE"
    )
    (item,) = carry_all(get(desk, there.id()))
    assert item.state == "done", item.error_sentence
    document = session().get_one(Document, item.document_id)
    assert item.name.startswith("Why? <draft>") and document.name == "Why_ _draft__cod.docx"
    assert "It is named “Why_ _draft__cod.docx” here." in (item.warnings or [""])[0]
