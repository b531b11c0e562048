"""The same bytes in two documents of a matter are noticed, in no other matter, and never refused."""

from __future__ import annotations

import io

import pytest

from services.core.errors import NotFoundError
from services.matters import duplicates
from tests.support.matters import add_document, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfers import sha256


def test_the_newest_document_with_these_bytes_is_named(database: None) -> None:
    lead = actor_of(make_member())
    matter_id, other = open_matter(lead), open_matter(lead, "Other")
    first = add_document(lead, matter_id, "Lease.docx", b"lease")
    add_document(lead, other, "Elsewhere.docx", b"deed")
    same = duplicates.same_bytes_here(matter_id, sha256(b"lease"), None)
    assert same == "This file is already in the matter as Lease.docx version 1."
    assert duplicates.same_bytes_here(matter_id, sha256(b"lease"), first) is None
    assert duplicates.same_bytes_here(matter_id, sha256(b"deed"), None) is None
    second = add_document(lead, matter_id, "Copy.docx", b"lease")
    assert duplicates.of_document(lead, second) == same
    assert duplicates.of_document(lead, first) == "This file is already in the matter as Copy.docx version 1."


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
