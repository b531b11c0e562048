"""What is known of a file before its bytes travel is said then: a taken name costs no upload."""

from __future__ import annotations

import io
import uuid

import pytest

from models import Participant
from services.core.runtime import runtime
from services.core.unit_of_work import unit_of_work
from services.matters import documents
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.transfers import make_matter


@pytest.fixture
def desk(browser: Browser) -> tuple[Browser, uuid.UUID, uuid.UUID]:
    """Somebody at their matter, which has a document named Lease.docx."""
    member = make_member("Anna Weiss")
    matter_id = make_matter(member.id)
    browser.sign_in(member)
    document_id = documents.add(actor_of(member), matter_id, "Lease.docx", io.BytesIO(b"lease"))
    return browser, matter_id, document_id


def judged(browser: Browser, url: str, *files: tuple[str, int]) -> tuple[int, str]:
    data = {"name": [name for name, _ in files], "size": [str(size) for _, size in files]}
    answer = browser.post(url, data, htmx=True)
    assert ("HX-Retarget" in answer.headers) == (answer.status_code == 422)  # tells it from a proxy's page
    return answer.status_code, read(answer, whole=False).text if answer.data else ""


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("LEASE.docx", 1 << 30, "This matter already has a document named LEASE.docx."),
        ("a:b.docx", 1, "cannot contain :."),
        ("What? <draft>.docx", 1, "cannot contain ? < >."),
        ("Empty.docx", 0, "This file is empty"),
        ("Huge.docx", 1 << 50, "larger than the limit"),
        ("NUL.docx", 1, "Windows reserves the name NUL"),
    ],
)
def test_a_file_is_refused_by_name_and_size_alone(
    desk: tuple[Browser, uuid.UUID, uuid.UUID], name: str, size: int, words: str
) -> None:
    browser, matter_id, _ = desk
    status, text = judged(browser, f"/matters/{matter_id}/documents/check", (name, size))
    assert status == 422 and words in text.replace("\u2019", "'")


def test_what_can_be_taken_is_answered_with_nothing(desk: tuple[Browser, uuid.UUID, uuid.UUID]) -> None:
    browser, matter_id, document_id = desk
    assert judged(browser, f"/matters/{matter_id}/documents/check", ("Deed.docx", 5)) == (204, "")
    assert judged(browser, f"/documents/{document_id}/versions/check", ("Lease.docx", 5)) == (204, "")


def test_of_several_each_is_named_once(desk: tuple[Browser, uuid.UUID, uuid.UUID]) -> None:
    browser, matter_id, _ = desk
    files = (
        ("Lease.docx", 5),
        ("Deed.docx", 5),
        ("deed.DOCX", 5),
        ("Empty.pdf", 0),
        ("Invoice\u202excod.exe", 5),
    )
    status, text = judged(browser, f"/matters/{matter_id}/documents/check", *files)
    assert status == 422
    for words in (
        "Lease.docx: This matter already has",
        "deed.DOCX: Two of these",
        "Empty.pdf: This file is empty",
        "Invoice[U+202E]xcod.exe: The file name contains an invisible character",
    ):
        assert text.replace("\u2019", "'").count(words) == 1, words
    assert "Deed.docx:" not in text


def test_a_version_is_judged_too(desk: tuple[Browser, uuid.UUID, uuid.UUID]) -> None:
    browser, _, document_id = desk
    largest = runtime().settings.max_document_bytes
    status, text = judged(browser, f"/documents/{document_id}/versions/check", ("Lease.docx", largest + 1))
    assert status == 422 and "larger than the limit" in text


def test_who_may_not_add_learns_no_names(desk: tuple[Browser, uuid.UUID, uuid.UUID]) -> None:
    browser, matter_id, _ = desk
    viewer = make_member("Vera Viewer")
    with unit_of_work() as writing:
        writing.add(Participant(matter_id=matter_id, member_id=viewer.id, role="viewer"))
    for member, status in ((viewer, 403), (make_member("Olga Outsider"), 404)):
        other = Browser(browser.app).sign_in(member)
        url = f"/matters/{matter_id}/documents/check"
        assert other.post(url, {"name": "Lease.docx", "size": "5"}, htmx=True).status_code == status


def test_an_upload_says_what_is_wrong_once(desk: tuple[Browser, uuid.UUID, uuid.UUID]) -> None:
    browser, matter_id, document_id = desk
    for url in (f"/matters/{matter_id}/documents/new", f"/documents/{document_id}/versions/new"):
        data = {"file": (io.BytesIO(b""), "Empty.docx")}
        answer = browser.post(url, data, content_type="multipart/form-data", htmx=True)
        assert answer.status_code == 422
        assert read(answer, whole=False).text.count("This file is empty") == 1
