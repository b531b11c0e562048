"""A save can add a version to any document in iManage: checked as the twin is, and the document becomes the twin."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select

from models import Link, Transfer
from services.core.unit_of_work import session
from simulator import Fault
from simulator.values import Document, Lock
from tests.support.pages import Page, read
from tests.support.transfers import Desk, carry_all, get, sha256


def there(desk: Desk, extension: str = "docx", content: bytes = b"theirs") -> Document:
    world = desk.practice.world
    name = f"Deed {uuid.uuid4().hex[:8]}"
    return world.add_document(world.folder("Drafts", "Active"), name, extension, content, "ALICE")


def press(
    desk: Desk, document_id: uuid.UUID, target: str = "other_version", **more: object
) -> tuple[int, Page | uuid.UUID]:
    """Save here, as the pop-up sends it: the status, and what came back or the transfer that began."""
    address = f"/documents/{document_id}/save/{desk.server.id}"
    page = desk.browser.page(address, htmx=True)
    sent = {"request_key": page.value_of("request_key"), "name": page.value_of("name"), "target": target}
    answer = desk.browser.post(address, sent | more, htmx=True)
    if "HX-Redirect" in answer.headers:
        return answer.status_code, uuid.UUID(answer.headers["HX-Redirect"].rsplit("/", 1)[-1])
    return answer.status_code, read(answer, whole=False)


def refused(desk: Desk, document_id: uuid.UUID, onto: str, **more: object) -> Page:
    status, page = press(desk, document_id, onto=onto, **more)
    assert status == 422 and isinstance(page, Page)
    session().rollback()
    assert session().scalar(select(func.count()).where(Transfer.kind == "save")) == 0
    return page


@pytest.fixture
def document_id(desk: Desk) -> uuid.UUID:
    return desk.add_document("Deed.docx", b"ours")


def test_it_becomes_the_next_version_there_and_the_twin(desk: Desk, document_id: uuid.UUID) -> None:
    theirs = there(desk)
    page = desk.browser.page(f"/documents/{document_id}/save/{desk.server.id}", htmx=True)
    assert "Save as new version" in page.text
    status, transfer_id = press(desk, document_id, onto=theirs.id())
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.based_on) == ("done", 1)
    stored = desk.practice.world.document(*theirs.key)
    assert stored is not None
    assert [version.content.sha256 for version in stored.versions] == [sha256(b"theirs"), sha256(b"ours")]
    link = session().scalars(select(Link).where(Link.document_id == document_id)).one()
    assert (link.number, link.version, link.direction) == (theirs.number, 2, "saved")


def test_the_list_offers_documents_with_their_latest_version(desk: Desk) -> None:
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}?saving=1"
    drafts = f"f:{desk.practice.world.folder('Drafts', 'Active').id}:Drafts"
    for target, name in (("other_version", "onto"), ("new_document", "folder")):
        answer = desk.browser.post(address, {"step": drafts, "target": target}, htmx=True)
        page = read(answer, whole=False)
        named = {each.get("name") for each in page.controls}
        assert (name in named) and "source" not in named
        assert ("onto" in named) == (target == "other_version")
    found = read(desk.browser.post(address, {"q": "SPA", "target": "other_version"}, htmx=True), whole=False)
    assert "SPA – Project Heron.docx" in found.text


def test_a_version_added_since_is_told_with_its_choice(desk: Desk, document_id: uuid.UUID) -> None:
    theirs = there(desk)
    desk.practice.world.add_version(theirs, b"newer", "BRAM")
    page = refused(desk, document_id, theirs.id())
    assert "You chose version 1. The latest version there is 2." in page.text
    assert "Get version" not in page.text
    (accept,) = [each["value"] for each in page.controls if each.get("name") == "accept"]
    status, transfer_id = press(desk, document_id, onto=theirs.id(), accept=accept)
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.based_on) == ("done", 2)


def test_one_that_moves_on_after_the_press_asks(desk: Desk, document_id: uuid.UUID) -> None:
    theirs = there(desk)
    _, transfer_id = press(desk, document_id, onto=f"Active!{theirs.number}.99")
    assert isinstance(transfer_id, uuid.UUID)
    desk.practice.world.add_version(theirs, b"newer", "BRAM")
    (item,) = carry_all(transfer_id)
    assert (item.state, item.based_on) == ("needs_decision", 1)


def test_what_a_twin_is_guarded_against_is_guarded_here(desk: Desk, document_id: uuid.UUID) -> None:
    locked, other_type, same = there(desk), there(desk, "pdf"), there(desk, content=b"ours")
    desk.practice.world.set_lock(locked, Lock("BRAM", locked.latest.edited))
    assert "Checked out by" in refused(desk, document_id, locked.id()).text
    assert "The file types differ" in refused(desk, document_id, other_type.id()).text
    assert "There is nothing to save" in refused(desk, document_id, same.id()).text
    assert "no longer in iManage" in refused(desk, document_id, "Active!99999999.1").text
    desk.practice.faults.add(Fault("status", path=f"/documents/{locked.id()}", status=403, times=None))
    assert "You cannot see the document" in refused(desk, document_id, locked.id()).text


@pytest.mark.parametrize(
    ("onto", "said"),
    [("", "Choose the document to add a version to."), ("../x", "ID"), ("Active!5", "ID")],
)
def test_without_a_document_nothing_starts(desk: Desk, document_id: uuid.UUID, onto: str, said: str) -> None:
    assert said in refused(desk, document_id, onto).text


def test_only_the_twin_can_be_replaced(desk: Desk, document_id: uuid.UUID) -> None:
    status, page = press(desk, document_id, "replace", twin=there(desk).id())
    assert status == 422 and isinstance(page, Page) and "no twin of that number" in page.text


def test_the_twin_chosen_in_the_list_is_still_the_twin(desk: Desk) -> None:
    theirs = there(desk)
    (item,) = carry_all(get(desk, theirs.id()))
    assert item.document_id is not None
    desk.practice.world.add_version(theirs, b"newer", "BRAM")
    status, page = press(desk, item.document_id, onto=f"Active!{theirs.number}.2")
    assert status == 422 and isinstance(page, Page)
