"""Versions compared and previewed through the pages; notes; and which version is current."""

from __future__ import annotations

import io
import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models import AuditEvent, Document, Member, Version
from services.core import runtime
from services.core.unit_of_work import session, unit_of_work
from services.matters import participants, reading, versions
from tests.support.documents import pdf, picture, scan, word
from tests.support.matters import add_document, counted_queries, current_version, open_matter
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.stores import running

OLD, NEW = "The rent is one hundred pounds.", "The rent is two hundred pounds."


Desk = tuple[Browser, uuid.UUID]


@pytest.fixture
def desk(browser: Browser) -> Desk:
    """A signed-in lead, and a document of two versions."""
    lead = make_member("Ann Clarke")
    document_id = add_document(actor_of(lead), open_matter(actor_of(lead)), content=word(OLD))
    add_version(lead, document_id, word(NEW))
    return browser.sign_in(lead), document_id


def add_version(member: Member, document_id: uuid.UUID, content: bytes, name: str = "Lease.docx") -> None:
    versions.add(actor_of(member), document_id, name, io.BytesIO(content), "")


def numbered(document_id: uuid.UUID) -> dict[int, uuid.UUID]:
    return {
        each.number: each.id
        for each in session().scalars(select(Version).where(Version.document_id == document_id))
    }


def events(action: str) -> list[AuditEvent]:
    session().rollback()
    return list(
        session().scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.at))
    )


def test_the_current_version_is_compared_with_the_one_before_it(desk: Desk) -> None:
    browser, document_id = desk
    assert f"/documents/{document_id}/compare" in browser.page(f"/documents/{document_id}").links
    with counted_queries() as queries:
        answer = browser.get(f"/documents/{document_id}/compare")
    assert len(queries) <= 16  # the rate limit and the audit event are commits of their own
    read(answer, whole=True)
    assert '<del id="change-1" tabindex="-1">one</del><ins>two</ins>' in answer.text
    assert "1 change<" in answer.text and "1 word inserted" in answer.text and "1 word deleted" in answer.text
    (event,) = events("version.compared")
    assert (event.subject, event.detail["version"], event.detail["with_version"]) == ("Lease.docx", 2, 1)


def test_any_two_versions_of_the_document_can_be_chosen(desk: Desk) -> None:
    browser, document_id = desk
    ids = numbered(document_id)
    address = f"/documents/{document_id}/compare"
    assert (
        '<del id="change-1" tabindex="-1">two</del>'
        in browser.get(f"{address}?old={ids[2]}&new={ids[1]}").text
    )
    assert "Choose two different versions." in browser.page(f"{address}?old={ids[2]}&new={ids[2]}").text
    assert browser.get(f"{address}?old={uuid.uuid4()}").status_code == 404
    other = add_document(actor_of(ann()), matter_of(document_id), "Deed.docx", word("Deed"))
    assert browser.get(f"{address}?old={current_version(other)}").status_code == 404


def test_markup_in_a_document_is_text(desk: Desk) -> None:
    browser, document_id = desk
    add_version(ann(), document_id, b"<script>alert(1)</script> & more", "Lease.txt")
    answer = browser.get(f"/documents/{document_id}/compare")
    read(answer, whole=True)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("Lease.pdf", scan(), "Version 3 (Lease.pdf) contains no text. It may be a scan."),
        ("Lease.pdf", pdf(["Text"], encrypt="secret"), "Version 3 (Lease.pdf) is protected by a password"),
        ("Lease.docx", word("Text")[:-20], "Version 3 (Lease.docx) cannot be read. It may be damaged."),
        ("Lease.xlsx", b"PK", "Version 3 (Lease.xlsx) is not a Word document (.docx), a PDF or a text file."),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(
    desk: Desk, name: str, content: bytes, sentence: str
) -> None:
    browser, document_id = desk
    add_version(ann(), document_id, content, name)
    assert sentence in browser.page(f"/documents/{document_id}/compare", status=422).text
    assert events("version.compared") == []


def test_long_unchanged_parts_are_folded(desk: Desk) -> None:
    browser, document_id = desk
    clauses = [f"Clause {number} stays as it is." for number in range(20)]
    for rent in ("one", "two"):
        add_version(ann(), document_id, word(*clauses, f"Rent of {rent} pounds.", *clauses))
    answer = browser.get(f"/documents/{document_id}/compare")
    assert answer.text.count("<summary>18 unchanged paragraphs</summary>") == 2


def test_only_a_few_are_compared_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, document_id = desk
    monkeypatch.setattr(reading, "_slots", threading.BoundedSemaphore(1))
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.01)
    with reading._slots:
        page = browser.page(f"/documents/{document_id}/compare", status=422)
    assert "Counterpart is reading other documents at the moment." in page.text
    browser.page(f"/documents/{document_id}/compare")


def test_files_in_an_object_store_are_read(desk: Desk, own_runtime: None, tmp_path: Path) -> None:
    browser, document_id = desk
    with running("memory", tmp_path) as store:
        runtime.bind(replace(runtime.runtime(), blobs=store))
        for content in (OLD, NEW):
            add_version(ann(), document_id, word(content + " Again."))
        assert "1 change<" in browser.get(f"/documents/{document_id}/compare").text


def test_pages_of_a_pdf_are_pictures_in_the_page(desk: Desk) -> None:
    browser, document_id = desk
    add_version(ann(), document_id, pdf(["First"], ["Second"]), "Lease.pdf")
    address = f"/versions/{current_version(document_id)}/preview"
    assert address in browser.page(f"/versions/{current_version(document_id)}/actions", htmx=True).links
    first = browser.get(address)
    assert 'src="data:image/webp;base64,' in first.text and "Page 1 of 2" in first.text
    assert f"{address}?page=2" in read(first, whole=True).links
    assert "Second" in browser.page(f"{address}?page=99").text
    assert [event.detail["page"] for event in events("version.previewed")] == [1, 2]


def test_an_image_is_shown_and_markup_is_not(desk: Desk) -> None:
    browser, document_id = desk
    add_version(ann(), document_id, picture(), "Plan.png")
    assert "data:image/webp" in browser.get(f"/versions/{current_version(document_id)}/preview").text
    for name in ("Plan.svg", "Plan.html", "Plan.png"):
        add_version(ann(), document_id, f"<svg id='{name}'><script>x</script></svg>".encode(), name)
        page = browser.page(f"/versions/{current_version(document_id)}/preview", status=422)
        assert f"({name}) is not a PDF or an image." in page.text


def test_a_note_is_changed_and_audited(desk: Desk) -> None:
    browser, document_id = desk
    version_id = current_version(document_id)
    assert "Note" in browser.page(f"/versions/{version_id}/note", htmx=True).text
    answer = browser.post(f"/versions/{version_id}/note", {"note": "Agreed form"}, htmx=True)
    assert answer.headers["HX-Redirect"] == f"/documents/{document_id}"
    assert "Agreed form" in browser.page(f"/documents/{document_id}").text
    browser.post(f"/versions/{version_id}/note", {"note": "Agreed form"}, htmx=True)
    (event,) = events("version.note_changed")
    assert (event.detail["before"], event.detail["after"]) == ("", "Agreed form")


def test_a_guest_changes_only_notes_that_they_see(app: Flask, desk: Desk) -> None:
    _browser, document_id = desk
    guest = make_member("Gil Guest", organisation="Other Side LLP", is_guest=True)
    participants.add(actor_of(ann()), matter_of(document_id), guest.id, "editor")
    version_id = current_version(document_id)
    theirs = Browser(app).sign_in(guest)
    assert theirs.post(f"/versions/{version_id}/note", {"note": "Ours"}, htmx=True).status_code == 204
    with unit_of_work() as writing:
        writing.get_one(Version, version_id).origin = "imanage"
    for send in (theirs.get, theirs.post):
        assert send(f"/versions/{version_id}/note").status_code == 404


def test_make_current_is_confirmed_first(desk: Desk) -> None:
    browser, document_id = desk
    first = numbered(document_id)[1]
    assert "becomes the current version" in browser.page(f"/versions/{first}/current", htmx=True).text
    assert current_version(document_id) != first
    browser.post(f"/versions/{first}/current", htmx=True)
    assert current_version(document_id) == first


def test_make_current_asks_who_sees_it(app: Flask, desk: Desk) -> None:
    browser, document_id = desk
    guest = make_member("Gil Guest", organisation="Other Side LLP", is_guest=True)
    participants.add(actor_of(ann()), matter_of(document_id), guest.id, "viewer")
    theirs, ids = Browser(app).sign_in(guest), numbered(document_id)
    address = f"/versions/{ids[1]}/current"
    page = browser.page(address, htmx=True)
    assert "Gil Guest" in page.text
    assert "Choose who can see it." in read(browser.post(address, htmx=True), whole=False).text
    browser.post(address, {"exposure": "members"}, htmx=True)
    assert current_version(document_id) == ids[1]
    assert theirs.get(f"/versions/{ids[1]}/preview").status_code == 404
    assert theirs.get(f"/documents/{document_id}/compare?old={ids[1]}").status_code == 404
    assert "Version 1" not in theirs.page(f"/documents/{document_id}/compare").text
    browser.post(f"/versions/{ids[2]}/current", {"exposure": "members"}, htmx=True)
    answer = browser.post(address, {"exposure": "guests", "readers": page.value_of("readers")}, htmx=True)
    assert answer.status_code == 204
    assert theirs.get(f"/versions/{ids[1]}/download").status_code == 200
    assert theirs.get(f"/versions/{ids[2]}/download").status_code == 404


def test_nobody_else_sees_any_of_it(app: Flask, desk: Desk) -> None:
    _, document_id = desk
    version_id = current_version(document_id)
    stranger = Browser(app).sign_in(make_member())
    for address in (
        f"/documents/{document_id}/compare",
        f"/versions/{version_id}/preview",
        f"/versions/{version_id}/note",
        f"/versions/{version_id}/current",
        f"/versions/{version_id}/receipt",
        f"/versions/{version_id}/receipt.json",
        f"/versions/{version_id}/receipt.pdf",
    ):
        assert stranger.get(address).status_code == 404


def ann() -> Member:
    return session().scalars(select(Member).where(Member.name == "Ann Clarke")).one()


def matter_of(document_id: uuid.UUID) -> uuid.UUID:
    matter_id = session().get_one(Document, document_id).matter_id
    assert matter_id is not None
    return matter_id
