"""Documents and versions: added, refused, renamed, made current, through the pages."""

from __future__ import annotations

import io
import json
import uuid

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import AuditEvent, Document, Version
from services.core.errors import ForbiddenError
from services.core.text.file_names import adapt
from services.core.unit_of_work import session
from services.matters import documents, versions
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.repository import LISTS

LIST = LISTS / "file_names.json"
TAKEN: list[str] = [name for name in json.loads(LIST.read_text("utf-8")) if adapt(name).full == name]


def send(browser: Browser, url: str, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    data = {"file": [(io.BytesIO(content), name) for name, content in files], **fields}
    return browser.post(url, data, htmx=True, content_type="multipart/form-data")


def names(matter_id: uuid.UUID) -> set[str]:
    return set(session().scalars(select(Document.name).where(Document.matter_id == matter_id)))


@pytest.fixture
def desk(browser: Browser) -> tuple[Browser, uuid.UUID]:
    ann = make_member("Ann Clarke")
    return browser.sign_in(ann), open_matter(actor_of(ann))


def test_a_file_becomes_a_document_and_comes_back_as_it_was(desk: tuple[Browser, uuid.UUID]) -> None:
    browser, matter_id = desk
    assert "File" in browser.page(f"/matters/{matter_id}/documents/new", htmx=True).text
    content = bytes(range(256)) * 1500
    answer = send(browser, f"/matters/{matter_id}/documents/new", ("Lease.docx", content))
    assert answer.headers["HX-Redirect"] == f"/matters/{matter_id}"
    page = browser.page(f"/matters/{matter_id}")
    assert "Lease.docx" in page.text and "384 kB" in page.text and "Ann Clarke" in page.text
    version = session().scalars(select(Version)).one()
    assert (version.number, version.origin, version.size) == (1, "upload", len(content))
    assert browser.get(f"/versions/{version.id}/download").data == content
    event = session().scalars(select(AuditEvent).where(AuditEvent.action == "document.added")).one()
    assert (event.subject, event.detail["sha256"]) == ("Lease.docx", version.sha256)


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_that_is_taken_is_kept_byte_for_byte(desk: tuple[Browser, uuid.UUID], name: str) -> None:
    browser, matter_id = desk
    answer = send(browser, f"/matters/{matter_id}/documents/new", (name, b"x"))
    assert "HX-Redirect" in answer.headers
    version = session().scalars(select(Version)).one()
    assert names(matter_id) == {version.file_name} == {name}
    assert browser.get(f"/versions/{version.id}/download").status_code == 200
    browser.page(f"/matters/{matter_id}")
    browser.page(f"/documents/{version.document_id}")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.docx", b"", "This file is empty, so it was not added."),
        ("x" * 300, b"x", "The file name is too long: 300 characters."),
        ("../../etc/passwd", b"x", "cannot contain /."),
        ("NUL.docx", b"x", "Windows reserves the name NUL."),
        ("trailing.", b"x", "end with a full stop"),
        ("invoice\u202excod.exe", b"x", "an invisible character"),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(
    desk: tuple[Browser, uuid.UUID], name: str, content: bytes, sentence: str
) -> None:
    browser, matter_id = desk
    answer = send(browser, f"/matters/{matter_id}/documents/new", (name, content))
    assert answer.status_code == 422
    assert sentence in read(answer, whole=False).text.replace("\u2019", "'")
    assert "\u202e" not in answer.get_data(as_text=True)
    assert names(matter_id) == set()


def test_no_file_at_all_is_said(desk: tuple[Browser, uuid.UUID]) -> None:
    browser, matter_id = desk
    for data in ({}, {"file": "text"}, {"file": (io.BytesIO(b""), "")}):
        answer = browser.post(f"/matters/{matter_id}/documents/new", data, content_type="multipart/form-data")
        assert answer.status_code == 422 and "Choose a file." in answer.get_data(as_text=True)


def test_of_several_files_the_good_ones_are_added_and_the_others_named(
    desk: tuple[Browser, uuid.UUID],
) -> None:
    browser, matter_id = desk
    url = f"/matters/{matter_id}/documents/new"
    answer = send(browser, url, ("A.docx", b"a"), ("empty.pdf", b""), ("B.xlsx", b"b"), ("a.DOCX", b"c"))
    assert answer.status_code == 422 and "documentsChanged" in answer.headers["HX-Trigger"]
    text = read(answer, whole=False).text
    assert "2 documents have been added." in text
    assert "empty.pdf: This file is empty" in text
    assert "a.DOCX: This matter already has a document named a.DOCX." in text
    assert names(matter_id) == {"A.docx", "B.xlsx"}
    assert "HX-Redirect" in send(browser, url, ("C.docx", b"c"), ("D.docx", b"d")).headers


def test_a_new_version_is_the_next_and_the_current_one(desk: tuple[Browser, uuid.UUID]) -> None:
    browser, matter_id = desk
    send(browser, f"/matters/{matter_id}/documents/new", ("Lease.docx", b"one"))
    document_id = session().scalars(select(Document.id)).one()
    url = f"/documents/{document_id}/versions/new"
    assert "becomes the current version" in browser.page(url, htmx=True).text
    send(browser, url, ("Lease – final.pdf", b"two"), note="Clause 7 agreed")

    page = browser.page(f"/documents/{document_id}")
    assert "Version 2 has been added and is now the current version." in page.text
    assert "The file type has changed: the new file is Lease – final.pdf" in page.text
    assert "Clause 7 agreed" in page.text and "Version 2 is current" in page.text
    latest = browser.get(f"/versions/{current_version(document_id)}/download")
    assert latest.data == b"two" and "Lease.pdf" in latest.headers["Content-Disposition"]


def test_the_same_bytes_are_noticed_and_added_only_when_meant(desk: tuple[Browser, uuid.UUID]) -> None:
    browser, matter_id = desk
    send(browser, f"/matters/{matter_id}/documents/new", ("Lease.docx", b"one"))
    document_id = session().scalars(select(Document.id)).one()
    url = f"/documents/{document_id}/versions/new"
    send(browser, url, ("Lease.docx", b"two"))
    asked = read(send(browser, url, ("Again.docx", b"one"), note="Back to this"), whole=False)
    assert "This is the same file as version 1" in asked.text
    assert session().scalars(select(Version.number)).all() == [1, 2]

    first = session().scalars(select(Version.id).where(Version.number == 1)).one()
    fields = {"file_name": asked.value_of("file_name"), "note": asked.value_of("note")}
    answer = browser.post(f"/versions/{first}/again", fields, htmx=True)
    assert answer.headers["HX-Redirect"] == f"/documents/{document_id}"
    third = session().scalars(select(Version).where(Version.number == 3)).one()
    assert (third.file_name, third.note, third.size) == ("Again.docx", "Back to this", 3)
    refused = browser.post(f"/versions/{first}/again", {"file_name": "../x", "note": ""}, htmx=True)
    assert refused.status_code == 422


def test_an_older_version_is_made_current_and_none_is_lost(desk: tuple[Browser, uuid.UUID]) -> None:
    browser, matter_id = desk
    send(browser, f"/matters/{matter_id}/documents/new", ("Lease.docx", b"one"))
    document_id = session().scalars(select(Document.id)).one()
    first = current_version(document_id)
    send(browser, f"/documents/{document_id}/versions/new", ("Lease.docx", b"two"))
    for _twice in range(2):
        assert browser.post(f"/versions/{first}/current", htmx=True).status_code == 204
    assert current_version(document_id) == first
    made = select(AuditEvent).where(AuditEvent.action == "version.made_current")
    assert len(session().scalars(made).all()) == 1
    send(browser, f"/documents/{document_id}/versions/new", ("Lease.docx", b"three"))
    assert sorted(session().scalars(select(Version.number))) == [1, 2, 3]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Side letter", "Side letter.docx"),
        (" Deed ", "Deed.docx"),
        ("LEASE", "LEASE.docx"),
        ("v1.2", "v1.2.docx"),
    ],
)
def test_renaming_keeps_the_type(desk: tuple[Browser, uuid.UUID], typed: str, name: str) -> None:
    browser, matter_id = desk
    send(browser, f"/matters/{matter_id}/documents/new", ("Lease.docx", b"one"))
    document_id = session().scalars(select(Document.id)).one()
    assert browser.page(f"/documents/{document_id}/rename", htmx=True).value_of("name") == "Lease"
    assert browser.post(f"/documents/{document_id}/rename", {"name": typed}, htmx=True).status_code == 204
    assert names(matter_id) == {name}
    got = browser.get(f"/versions/{current_version(document_id)}/download")
    assert f'filename="{name}"' in got.headers["Content-Disposition"]
    found = browser.get(f"/matters/{matter_id}?q={typed.strip()}", htmx=True).get_data(as_text=True)
    assert name in found


@pytest.mark.parametrize("typed", ["", "other", "a/b", "con", "x" * 240, "mark\u202e"])
def test_a_bad_new_name_is_said_at_its_field(desk: tuple[Browser, uuid.UUID], typed: str) -> None:
    browser, matter_id = desk
    send(browser, f"/matters/{matter_id}/documents/new", ("Other.docx", b"one"))
    send(browser, f"/matters/{matter_id}/documents/new", ("Lease.docx", b"two"))
    document_id = session().scalars(select(Document.id).where(Document.name == "Lease.docx")).one()
    answer = browser.post(f"/documents/{document_id}/rename", {"name": typed}, htmx=True)
    assert answer.status_code == 422
    assert "name-error" in read(answer, whole=False).ids
    assert names(matter_id) == {"Other.docx", "Lease.docx"}


def test_viewers_read_and_change_nothing(browser: Browser) -> None:
    ann, ben = make_member("Ann"), make_member("Ben")
    matter_id = open_matter(actor_of(ann), viewer=ben)
    document_id = add_document(actor_of(ann), matter_id)
    version_id = current_version(document_id)
    browser.sign_in(ben)
    for page in (browser.page(f"/matters/{matter_id}"), browser.page(f"/documents/{document_id}")):
        assert "Lease.docx" in page.text
        assert "Add document" not in page.text and "New version" not in page.text
    assert browser.get(f"/versions/{version_id}/download").data == b"lease"
    assert "New version" not in browser.page(f"/documents/{document_id}/actions", htmx=True).text
    for url in (
        f"/matters/{matter_id}/documents/new",
        f"/documents/{document_id}/versions/new",
        f"/documents/{document_id}/rename",
        f"/versions/{version_id}/current",
        f"/versions/{version_id}/again",
    ):
        assert browser.post(url, {"name": "Mine", "file_name": "Mine.docx"}).status_code == 403, url
    with pytest.raises(ForbiddenError):
        documents.add(actor_of(ben), matter_id, "Mine.docx", io.BytesIO(b"x"))
    with pytest.raises(ForbiddenError):
        versions.add(actor_of(ben), document_id, "Mine.docx", io.BytesIO(b"x"), "")
    assert session().scalars(select(Version.number)).all() == [1]
