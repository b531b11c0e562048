"""The same bytes in two documents of a matter are noticed, in no other matter, and never refused."""

from __future__ import annotations

import io

import pytest

from services.core.errors import NotFoundError
from services.matters import audiences, documents, duplicates, versions
from tests.support.matters import add_document, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfers import sha256


def test_the_newest_document_with_these_bytes_is_named(database: None) -> None:
    lead = actor_of(make_member())
    matter_id, other = open_matter(lead), open_matter(lead, "Other")
    first = add_document(lead, matter_id, "Lease.docx", b"lease")
    add_document(lead, other, "Elsewhere.docx", b"deed")
    same = duplicates.same_bytes_here(lead, matter_id, sha256(b"lease"), None)
    assert same == "This file is already in the matter as Lease.docx version 1."
    assert duplicates.same_bytes_here(lead, matter_id, sha256(b"lease"), first) is None
    assert duplicates.same_bytes_here(lead, matter_id, sha256(b"deed"), None) is None
    second = add_document(lead, matter_id, "Copy.docx", b"lease")
    assert duplicates.of_document(lead, second) == same
    assert duplicates.of_document(lead, first) == "This file is already in the matter as Copy.docx version 1."


def test_guests_learn_nothing_of_what_they_do_not_see(browser: Browser) -> None:
    lead, guest = actor_of(make_member()), make_member(is_guest=True, organisation="Harbour Bank")
    matter_id = open_matter(lead, editor=guest)
    documents.add(lead, matter_id, "Draft.docx", io.BytesIO(b"draft"), is_held=True)
    lease = add_document(lead, matter_id, "Lease.docx", b"lease 1")
    versions.add(lead, lease, "Lease.docx", io.BytesIO(b"lease 2"), "", is_held=True)
    hidden = add_document(lead, matter_id, "Ours.docx", b"ours")
    audiences.change(lead, matter_id, [hidden], "members")
    browser.sign_in(guest)
    for content, name in (
        (b"draft", "A.docx"),
        (b"lease 2", "B.docx"),
        (b"ours", "C.docx"),
        (b"lease 1", "D.docx"),
    ):
        browser.post(f"/matters/{matter_id}/documents/new", {"file": (io.BytesIO(content), name)})
    text = browser.page(f"/matters/{matter_id}").text
    assert text.count("This file is already in the matter") == 1
    assert "already in the matter as Lease.docx version 1." in text
    assert "Draft.docx" not in text and "Ours.docx" not in text and "version 2" not in text


def test_to_strangers_it_says_nothing(database: None) -> None:
    lead = actor_of(make_member())
    document_id = add_document(lead, open_matter(lead))
    with pytest.raises(NotFoundError):
        duplicates.of_document(actor_of(make_member()), document_id)


def test_an_upload_says_so(browser: Browser) -> None:
    member = make_member()
    lead = actor_of(member)
    matter_id = open_matter(lead)
    add_document(lead, matter_id, "Lease.docx", b"lease")
    browser.sign_in(member)
    files = [(io.BytesIO(b"lease"), "Copy.docx"), (io.BytesIO(b"deed"), "Deed.docx")]
    answer = browser.post(f"/matters/{matter_id}/documents/new", {"file": files})
    assert answer.status_code == 303
    text = browser.page(f"/matters/{matter_id}").text
    assert "Copy.docx: This file is already in the matter as Lease.docx version 1." in text
    assert "Deed.docx:" not in text
