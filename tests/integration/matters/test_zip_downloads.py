"""Many documents as one zip file: what is in it for whom, names that collide, the audit and the limits."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
import uuid
import zipfile

import pytest
from flask import Flask
from sqlalchemy import select

from models import AuditEvent
from services.core.errors import NotFoundError, RefusedError, TooManyError
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.matters import audiences, documents, versions, zip_downloads
from storage import BlobMissingError
from storage.names import key_of
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {each: archive.read(each) for each in archive.namelist()}


def test_guests_get_what_they_see(browser: Browser, app: Flask) -> None:
    lead, guest = make_member("Lea"), make_member("Gina", organisation="Bank", is_guest=True)
    ann = actor_of(lead)
    matter_id = open_matter(ann, "Heron: sale / lease", viewer=guest)
    lease = add_document(ann, matter_id, "Lease.docx", b"shared")
    versions.add(ann, lease, "Lease.docx", io.BytesIO(b"draft"), "", is_held=True)
    held = documents.add(ann, matter_id, "Secret.docx", io.BytesIO(b"secret"), is_held=True)
    internal = add_document(ann, matter_id, "Advice.docx", b"advice")
    audiences.change(ann, matter_id, [internal], "members")
    url = f"/matters/{matter_id}/documents.zip"

    answer = browser.sign_in(lead).get(url)
    assert answer.content_length == len(answer.data)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Heron_ sale _ lease.zip"')
    assert opened(answer.data) == {"Advice.docx": b"advice", "Lease.docx": b"draft", "Secret.docx": b"secret"}

    theirs = Browser(app).sign_in(guest)
    assert opened(theirs.get(url).data) == {"Lease.docx": b"shared"}
    assert theirs.get(f"{url}?document={held}&document={internal}").status_code == 404
    assert theirs.get(f"{url}?document={held}&document={lease}").data == theirs.get(url).data
    assert Browser(app).sign_in(make_member("Otto")).get(url).status_code == 404
    assert theirs.client.head(url).status_code == 405


def test_names_that_collide_get_a_number_and_each_document_is_audited(browser: Browser) -> None:
    lead = make_member("Lea")
    ann = actor_of(lead)
    matter_id = open_matter(ann)
    first = add_document(ann, matter_id, "Deed.docx", b"one")
    add_document(ann, matter_id, "deed.PDF", b"two")
    versions.add(ann, first, "signed.pdf", io.BytesIO(b"three"), "")
    other = add_document(ann, matter_id, "Other.txt", b"four")
    url = f"/matters/{matter_id}/documents.zip"
    content = opened(browser.sign_in(lead).get(url).data)
    assert sorted(name.casefold() for name in content) == ["deed (2).pdf", "deed.pdf", "other.txt"]
    assert sorted(content.values()) == [b"four", b"three", b"two"]
    assert opened(browser.get(f"{url}?document={other}&document=nonsense").data) == {"Other.txt": b"four"}
    events = session().scalars(select(AuditEvent).where(AuditEvent.action == "version.downloaded")).all()
    assert sorted(event.detail["zip"] for event in events) == ["1 document"] + ["3 documents"] * 3
    assert {event.matter_id for event in events} == {matter_id}


def test_limits(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = actor_of(make_member("Ann"))
    matter_id = open_matter(ann)
    with pytest.raises(NotFoundError):
        zip_downloads.of_documents(ann, matter_id)
    ids = [add_document(ann, matter_id, f"{number}.txt", b"x") for number in range(3)]
    with pytest.raises(NotFoundError):
        zip_downloads.of_documents(ann, matter_id, [uuid.uuid4()])
    opened_now = [zip_downloads.of_documents(ann, matter_id) for _ in range(2)]
    with pytest.raises(TooManyError):
        zip_downloads.of_documents(ann, matter_id)
    for each in opened_now:
        each.close()
    zip_downloads.of_documents(ann, matter_id).close()
    monkeypatch.setattr(zip_downloads, "MOST", 2)
    with pytest.raises(RefusedError, match="3 documents"):
        zip_downloads.of_documents(ann, matter_id)
    zip_downloads.of_documents(ann, matter_id, ids[:2]).close()


def test_memory_does_not_grow_with_the_file_and_a_missing_one_ends_it(database: None) -> None:
    ann = actor_of(make_member("Ann"))
    matter_id = open_matter(ann)
    content = bytes(64 * 1024 * 1024)
    document_id = add_document(ann, matter_id, "Large.bin", content)
    download = zip_downloads.of_documents(ann, matter_id)
    tracemalloc.start()
    sent = sum(map(len, download.chunks))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    download.close()
    assert sent == download.size > len(content)
    assert peak < 8 * 1024 * 1024
    download = zip_downloads.of_documents(ann, matter_id)
    version = versions.require(ann, current_version(document_id))
    assert version.sha256 == hashlib.sha256(content).hexdigest()
    (runtime().settings.data_dir / "blobs" / key_of(version.sha256)).unlink()
    with pytest.raises(BlobMissingError):
        list(download.chunks)
    download.close()
