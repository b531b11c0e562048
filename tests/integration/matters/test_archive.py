"""An archived matter is read by everybody and changed by nobody, until a lead reactivates it."""

from __future__ import annotations

import io
import uuid

import pytest
from flask import Flask

from models import Member
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError
from services.matters import documents, matters, participants, undertakings, versions
from services.matters.matters import MatterDetails
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.matters import add_document, add_server, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import Desk, carry_all, get


@pytest.fixture
def member(database: None) -> Member:
    return make_member("Lea Lead")


@pytest.fixture
def lead(member: Member) -> Actor:
    return actor_of(member)


@pytest.fixture
def matter_id(lead: Actor) -> uuid.UUID:
    return open_matter(lead)


def test_nobody_changes_an_archived_matter(lead: Actor, matter_id: uuid.UUID) -> None:
    document_id = add_document(lead, matter_id)
    other = make_member()
    participants.add(lead, matter_id, other.id, "editor")
    matters.archive(lead, matter_id)
    for act in (
        lambda: add_document(lead, matter_id, "New.docx"),
        lambda: documents.rename(lead, document_id, "New"),
        lambda: versions.add(lead, document_id, "Lease.docx", io.BytesIO(b"2"), ""),
        lambda: versions.make_current(lead, current_version(document_id)),
        lambda: participants.change_role(lead, matter_id, other.id, "viewer"),
        lambda: participants.remove(lead, matter_id, other.id),
        lambda: matters.rename(lead, matter_id, MatterDetails("New")),
        lambda: undertakings.change(lead, matter_id, "Title", "Text"),
        lambda: add_document(actor_of(other), matter_id, "New.docx"),
    ):
        with pytest.raises(ConflictError, match="archived"):
            act()
    assert documents.find(actor_of(other), document_id).name == "Lease.docx"
    matters.reactivate(lead, matter_id)
    add_document(lead, matter_id, "New.docx")
    assert [action for action, _, _ in trail() if action.startswith("matter.")] == [
        "matter.created",
        "matter.archived",
        "matter.reactivated",
    ]


def test_the_pages_of_an_archived_matter(browser: Browser, member: Member, lead: Actor) -> None:
    matter_id = open_matter(lead, "Old deal")
    document_id = add_document(lead, matter_id)
    open_matter(lead, "New deal")
    browser.sign_in(member).post(f"/matters/{matter_id}/archive")
    page = browser.page(f"/matters/{matter_id}")
    assert "This matter is archived" in page.text and "Reactivate" in page.text
    assert "Add document" not in page.text and "Change details" not in page.text
    document = browser.page(f"/documents/{document_id}").text
    assert "This matter is archived" in document and "New version" not in document
    assert browser.get(f"/versions/{current_version(document_id)}/download").status_code == 200
    assert "Search people" not in browser.page(f"/matters/{matter_id}/people").text
    active, archived = browser.page("/matters").text, browser.page("/matters?show=archived").text
    assert "New deal" in active and "Old deal" not in active
    assert "Old deal" in archived and "New deal" not in archived
    assert browser.post(f"/matters/{matter_id}/reactivate").status_code == 303
    assert "Old deal" in browser.page("/matters").text


def test_only_leads_archive_and_reactivate(lead: Actor, matter_id: uuid.UUID) -> None:
    editor, guest = make_member(), make_member(is_guest=True, organisation="Bank")
    for person in (editor, guest):
        participants.add(lead, matter_id, person.id, "editor")
        with pytest.raises(ForbiddenError):
            matters.archive(actor_of(person), matter_id)
    matters.archive(lead, matter_id)
    for person in (editor, guest):
        with pytest.raises(ForbiddenError):
            matters.reactivate(actor_of(person), matter_id)


def test_transfers_in_progress_are_named_first(
    browser: Browser, member: Member, matter_id: uuid.UUID
) -> None:
    make_transfer(member.id, matter_id, add_server(), ["waiting"])
    url = f"/matters/{matter_id}"
    browser.sign_in(member)
    assert "1 transfer in progress will stop." in browser.page(f"{url}/archive").text
    assert "1 transfer in progress will stop." in browser.page(f"{url}/remove").text


def test_a_transfer_into_an_archived_matter_stops_with_the_reason(desk: Desk) -> None:
    transfer_id = get(desk, desk.practice.world.named("SPA – Project Heron").id())
    matters.archive(desk.actor, desk.matter_id)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.error_code) == ("stopped", "matter.archived")
    assert item.error_sentence == "This matter is archived, so it can only be read."


def test_an_upload_and_an_archiving_at_once_leave_no_change_behind(
    app: Flask, lead: Actor, matter_id: uuid.UUID
) -> None:
    added, archived = at_once(
        app,
        lambda: add_document(lead, matter_id, "Late.docx"),
        lambda: matters.archive(lead, matter_id),
    )
    assert archived == "Project Heron"
    assert isinstance(added, uuid.UUID | ConflictError)
    assert len(documents.of_matter(lead, matter_id).rows) == isinstance(added, uuid.UUID)
