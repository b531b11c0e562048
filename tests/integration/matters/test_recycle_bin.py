"""The bin: removed documents and matters, restored with everything, and deleted for good after 30 days."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from models import Document, Link, Matter, Member, Participant, Transfer, Version, utcnow
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, NotFoundError
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.execution import maintenance
from services.matters import documents, matters, participants, quotas, recycle_bin, versions
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.matters import add_document, add_server, add_twin, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfers import Desk, carry, carry_all, get, got_document, items_of


@pytest.fixture
def member(database: None) -> Member:
    return make_member("Lea Lead")


@pytest.fixture
def lead(member: Member) -> Actor:
    return actor_of(member)


@pytest.fixture
def matter_id(lead: Actor) -> uuid.UUID:
    return open_matter(lead)


def count(table: type) -> int:
    session().rollback()
    return session().scalar(select(func.count()).select_from(table)) or 0


def let_days_pass(days: int = 30) -> None:
    """As if everything in the bin had been there for so long."""
    since = utcnow() - timedelta(days=days)
    with unit_of_work() as writing:
        writing.execute(update(Document).where(Document.binned_at.is_not(None)).values(binned_at=since))
        writing.execute(update(Matter).where(Matter.binned_at.is_not(None)).values(binned_at=since))


def test_a_removed_document_is_nowhere_but_in_the_bin(
    browser: Browser, member: Member, lead: Actor, matter_id: uuid.UUID
) -> None:
    document_id = add_document(lead, matter_id)
    version_id = current_version(document_id)
    browser.sign_in(member)
    assert "restore it for 30 days" in browser.page(f"/documents/{document_id}/remove").text
    assert browser.post(f"/documents/{document_id}/remove").status_code == 303
    assert "Lease.docx is in the bin." in browser.page(f"/matters/{matter_id}").text
    assert "Lease.docx" not in browser.page(f"/matters/{matter_id}").text
    for address in (
        f"/documents/{document_id}",
        f"/documents/{document_id}/actions",
        f"/documents/{document_id}/rename",
        f"/versions/{version_id}/download",
    ):
        assert browser.get(address).status_code == 404, address
    assert browser.post(f"/versions/{version_id}/current").status_code == 404
    assert matters.find(lead, matter_id).documents == 0
    page = browser.page(f"/matters/{matter_id}/bin")
    assert "Lease.docx" in page.text and "Lea Lead" in page.text
    until = utcnow() + timedelta(days=30)
    assert f"{until.day} {until:%b %Y}" in page.text
    answer = browser.post(f"/documents/{document_id}/restore")
    assert answer.headers["Location"] == f"/documents/{document_id}"
    assert "The bin is empty" in browser.page(f"/matters/{matter_id}/bin").text
    assert [action for action, _, _ in trail()[-2:]] == ["document.binned", "document.restored"]


def test_a_document_comes_back_with_its_versions_and_twins_under_a_free_name(
    lead: Actor, matter_id: uuid.UUID
) -> None:
    document_id = add_document(lead, matter_id)
    versions.add(lead, document_id, "Lease.docx", io.BytesIO(b"second"), "")
    add_twin(document_id, add_server(), lead.id)
    recycle_bin.remove_document(lead, document_id)
    add_document(lead, matter_id, content=b"other")
    assert recycle_bin.restore_document(lead, document_id) == "Lease (2).docx"
    assert len(versions.history(lead, document_id).rows) == 2
    assert count(Link) == 1
    assert documents.find(lead, document_id).number == 2


def test_guests_neither_remove_nor_see_the_bin(browser: Browser, lead: Actor, matter_id: uuid.UUID) -> None:
    guest = make_member(is_guest=True, organisation="Bank")
    participants.add(lead, matter_id, guest.id, "editor")
    document_id = add_document(lead, matter_id)
    browser.sign_in(guest)
    assert "Move to bin" not in browser.page(f"/documents/{document_id}").text
    assert "Bin" not in browser.page("/matters").text
    with pytest.raises(ForbiddenError):
        recycle_bin.remove_document(actor_of(guest), document_id)
    recycle_bin.remove_document(lead, document_id)
    with pytest.raises(ForbiddenError):
        recycle_bin.restore_document(actor_of(guest), document_id)


def test_people_of_another_matter_learn_nothing_of_a_bin(lead: Actor, matter_id: uuid.UUID) -> None:
    document_id = add_document(lead, matter_id)
    recycle_bin.remove_document(lead, document_id)
    outsider = actor_of(make_member())
    for act in (
        lambda: recycle_bin.restore_document(outsider, document_id),
        lambda: recycle_bin.documents_of(outsider, matter_id),
        lambda: recycle_bin.restore_matter(outsider, matter_id),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_of_two_who_remove_and_restore_at_once_the_second_is_told(
    app: Flask, lead: Actor, matter_id: uuid.UUID
) -> None:
    document_id = add_document(lead, matter_id)
    act = recycle_bin.remove_document
    done = at_once(app, *(lambda: act(lead, document_id) for _ in range(2)))
    assert "Lease.docx" in done
    assert all(isinstance(each, str | NotFoundError | ConflictError) for each in done)
    assert len([action for action, *_ in trail() if action == "document.binned"]) == 1
    restored = at_once(app, *(lambda: recycle_bin.restore_document(lead, document_id) for _ in range(2)))
    assert "Lease.docx" in restored
    assert len([action for action, *_ in trail() if action == "document.restored"]) == 1


def test_what_is_on_its_way_into_a_removed_document_fails_with_the_reason(desk: Desk) -> None:
    document_id, source = got_document(desk)
    twin = desk.practice.world.named("SPA – Project Heron")
    transfer_id = get(desk, f"Active!{twin.number}.2", document_id=document_id)
    assert recycle_bin.transfers_into(document_id) == 1
    recycle_bin.remove_document(desk.actor, document_id)
    item = carry(items_of(transfer_id)[0].id)
    assert (item.state, item.error_code) == ("stopped", "document.gone")
    # Got again, it is a new document: the one in the bin is not changed.
    (again,) = carry_all(get(desk, source))
    assert again.state == "done" and again.document_id != document_id
    assert count(Document) == 2


def test_a_removed_matter_is_found_by_its_leads_alone(
    browser: Browser, member: Member, lead: Actor, matter_id: uuid.UUID
) -> None:
    document_id = add_document(lead, matter_id)
    editor, guest = make_member(), make_member(is_guest=True, organisation="Bank")
    participants.add(lead, matter_id, editor.id, "editor")
    participants.add(lead, matter_id, guest.id, "viewer")
    browser.sign_in(member)
    assert "1 document" in browser.page(f"/matters/{matter_id}/remove").text
    assert browser.post(f"/matters/{matter_id}/remove").headers["Location"] == "/"
    for person in (member, editor, guest):
        own = Browser(browser.app).sign_in(person)
        for address in (f"/matters/{matter_id}", f"/documents/{document_id}"):
            assert own.get(address).status_code == 404
        assert "Project Heron" not in own.page("/matters?page=1").text
        assert "Project Heron" not in own.page("/matters?show=archived").text
    assert "Project Heron" in browser.page("/matters/bin").text
    assert "Project Heron" not in Browser(browser.app).sign_in(editor).page("/matters/bin").text
    with pytest.raises(NotFoundError):
        recycle_bin.restore_matter(actor_of(editor), matter_id)
    assert browser.post(f"/matters/{matter_id}/restore").headers["Location"] == f"/matters/{matter_id}"
    assert documents.find(actor_of(guest), document_id).name == "Lease.docx"


def test_a_transfer_into_a_removed_matter_stops_with_the_reason(desk: Desk) -> None:
    transfer_id = get(desk, desk.practice.world.named("SPA – Project Heron").id())
    recycle_bin.remove_matter(desk.actor, desk.matter_id)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.error_code) == ("stopped", "matter.binned")
    assert "running" not in desk.browser.page("/matters").text.casefold()


def test_after_thirty_days_a_document_is_deleted_with_its_links_and_bytes(
    lead: Actor, matter_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = add_document(lead, matter_id, content=b"only here")
    version_id = current_version(document_id)
    sha256 = session().get_one(Version, version_id).sha256
    add_document(lead, matter_id, "Stays.docx", b"stays")
    add_twin(document_id, add_server(), lead.id)
    recycle_bin.remove_document(lead, document_id)
    let_days_pass(29)
    assert recycle_bin.delete_expired() == 0
    let_days_pass()
    assert recycle_bin.delete_expired() == 1
    assert (count(Document), count(Version), count(Link)) == (1, 1, 0)
    assert ("document.deleted", "done", "Lease.docx") in trail()
    with pytest.raises(NotFoundError):
        recycle_bin.restore_document(lead, document_id)
    monkeypatch.setattr(maintenance, "UNUSED_FOR", timedelta(0))
    assert maintenance.sweep_store() > 0
    assert sha256 not in {blob.sha256 for blob in runtime().blobs.blobs()}


def test_after_thirty_days_a_matter_is_deleted_with_everything(desk: Desk) -> None:
    got_document(desk)
    removed = add_document(desk.actor, desk.matter_id, "Removed.docx")
    recycle_bin.remove_document(desk.actor, removed)
    other = open_matter(desk.actor, "Other")
    add_document(desk.actor, other)
    recycle_bin.remove_matter(desk.actor, desk.matter_id)
    let_days_pass()
    assert recycle_bin.delete_expired() == 2
    assert (count(Matter), count(Document), count(Link), count(Transfer)) == (1, 1, 0, 0)
    assert count(Participant) == 1
    assert ("matter.deleted", "done", "Project Heron") in trail()
    assert recycle_bin.delete_expired() == 0


def test_the_bin_counts_for_the_limit_of_its_matter(lead: Actor, matter_id: uuid.UUID) -> None:
    document_id = add_document(lead, matter_id, content=b"12345")
    recycle_bin.remove_document(lead, document_id)
    assert quotas._stored("matter", matter_id) == 5


def test_what_is_due_for_deletion_is_not_restored_in_part(
    lead: Actor, matter_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The duty may have ended half way, with some of the documents of a matter deleted."""
    kept = open_matter(lead, "Kept")
    document_id = add_document(lead, kept)
    recycle_bin.remove_document(lead, document_id)
    for name in ("A.docx", "B.docx", "C.docx"):
        add_document(lead, matter_id, name)
    recycle_bin.remove_matter(lead, matter_id)
    let_days_pass()
    assert recycle_bin.matters(lead).rows == () and recycle_bin.documents_of(lead, kept).rows == ()
    with pytest.raises(NotFoundError):
        recycle_bin.restore_document(lead, document_id)
    deleted = recycle_bin._delete_documents
    monkeypatch.setattr(recycle_bin, "BATCH", 2)
    monkeypatch.setattr(
        recycle_bin, "_delete_documents", lambda rows: deleted(rows) if count(Document) > 3 else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        recycle_bin.delete_expired()
    with pytest.raises(NotFoundError):
        recycle_bin.restore_matter(lead, matter_id)
    monkeypatch.undo()
    assert recycle_bin.delete_expired() == 2
    assert (count(Document), count(Matter)) == (0, 1)


def test_nothing_is_restored_into_a_matter_that_was_closed_meanwhile(
    lead: Actor, matter_id: uuid.UUID
) -> None:
    document_id = add_document(lead, matter_id)
    recycle_bin.remove_document(lead, document_id)
    matters.archive(lead, matter_id)
    with pytest.raises(ConflictError):
        recycle_bin.restore_document(lead, document_id)
    recycle_bin.remove_matter(lead, matter_id)
    with pytest.raises(NotFoundError):
        recycle_bin.restore_document(lead, document_id)
    recycle_bin.restore_matter(lead, matter_id)
    matters.reactivate(lead, matter_id)
    assert recycle_bin.restore_document(lead, document_id) == "Lease.docx"
