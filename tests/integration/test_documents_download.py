"""Downloads: whole or a piece, always as a file to be kept, under the name it has here."""

from __future__ import annotations

import hashlib
import io
import uuid

import pytest
from sqlalchemy import select

from models import AuditEvent, Version
from services import versions
from services.house import house
from services.unit import session
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def url(browser: Browser) -> str:
    ann = make_member("Ann")
    document_id = add_document(actor_of(ann), open_matter(actor_of(ann)), "Lease.docx", CONTENT)
    browser.sign_in(ann)
    return f"/versions/{current_version(document_id)}/download"


def downloads() -> int:
    return len(session().scalars(select(AuditEvent).where(AuditEvent.action == "version.downloaded")).all())


def test_the_whole_file_with_its_headers(browser: Browser, url: str) -> None:
    answer = browser.get(url)
    headers = answer.headers
    assert answer.data == CONTENT
    assert headers["Content-Length"] == str(len(CONTENT))
    assert (
        headers["Content-Disposition"] == "attachment; filename=\"Lease.docx\"; filename*=UTF-8''Lease.docx"
    )
    assert headers["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"].endswith("wordprocessingml.document")
    assert downloads() == 1


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, 2560),
        ("bytes=-60", 2500, 2560),
        ("bytes=2559-9999", 2559, 2560),
    ],
)
def test_a_piece_of_it(browser: Browser, url: str, asked: str, start: int, stop: int) -> None:
    answer = browser.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.data == CONTENT[start:stop]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/2560"
    assert answer.headers["Content-Length"] == str(stop - start)


def test_a_piece_of_what_has_changed_or_cannot_be_read_is_the_whole(browser: Browser, url: str) -> None:
    stale = {"Range": "bytes=5-9", "If-Range": '"another"'}
    fresh = {"Range": "bytes=5-9", "If-Range": f'"{hashlib.sha256(CONTENT).hexdigest()}"'}
    assert browser.get(url, headers=stale).data == CONTENT
    assert browser.get(url, headers=fresh).data == CONTENT[5:10]
    for odd in ("bytes=0-1,5-6", "lines=1-2", "nonsense", "bytes=9-5"):
        assert browser.get(url, headers={"Range": odd}).data == CONTENT, odd


def test_a_piece_past_the_end_is_refused(browser: Browser, url: str) -> None:
    assert browser.get(url, headers={"Range": "bytes=2560-"}).status_code == 416


def test_a_question_about_the_size_and_a_later_piece_are_no_second_download(
    browser: Browser, url: str
) -> None:
    head = browser.client.head(url)
    assert (head.headers["Content-Length"], head.data) == ("2560", b"")
    assert downloads() == 0
    browser.get(url)
    browser.get(url, headers={"Range": "bytes=1000-"})
    assert downloads() == 1


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("\u00e9t\u00e9.docx", "_t_.docx", "%C3%A9t%C3%A9.docx"),
        ("per%cent.docx", "per_cent.docx", "per%25cent.docx"),
        ("semicolon;name.docx", "semicolon_name.docx", "semicolon%3Bname.docx"),
        ("'; DROP TABLE documents;--.docx", "__ DROP TABLE documents_--.docx", None),
        ("契約書.pdf", "___.pdf", "%E5%A5%91%E7%B4%84%E6%9B%B8.pdf"),
    ],
)
def test_a_name_outside_ascii_travels_in_full(
    browser: Browser, name: str, plain: str, full: str | None
) -> None:
    ann = make_member("Ann")
    document_id = add_document(actor_of(ann), open_matter(actor_of(ann)), name)
    answer = browser.sign_in(ann).get(f"/versions/{current_version(document_id)}/download")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith(f'attachment; filename="{plain}"; filename*=')
    assert full is None or disposition.endswith(f"UTF-8''{full}")


@pytest.mark.parametrize(
    "name", ["page.html", "drawing.svg", "script.js", "x.xml", "no extension", "x.docx.exe"]
)
def test_what_a_browser_could_run_is_only_bytes(browser: Browser, name: str) -> None:
    ann = make_member("Ann")
    document_id = add_document(actor_of(ann), open_matter(actor_of(ann)), name, b"<script>alert(1)</script>")
    answer = browser.sign_in(ann).get(f"/versions/{current_version(document_id)}/download")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_strangers_and_people_not_signed_in_get_nothing(browser: Browser, url: str) -> None:
    eve = Browser(browser.app).sign_in(make_member("Eve", is_admin=True))
    assert eve.get(url).status_code == 404
    assert eve.get(f"/versions/{uuid.uuid4()}/download").status_code == 404
    assert Browser(browser.app).get(url).status_code == 302
    assert downloads() == 0


def test_a_file_that_is_missing_from_the_store_is_said(browser: Browser, url: str) -> None:
    version = session().scalars(select(Version)).one()
    house().blobs.delete(version.sha256)
    answer = browser.get(url)
    assert answer.status_code == 400
    assert "restore it from a backup" in answer.get_data(as_text=True)
    assert downloads() == 0


def test_a_large_file_is_never_whole_in_memory(database: None) -> None:
    """The service takes and gives pieces: no read asks for more than 1 MiB at a time."""

    class Stream(io.RawIOBase):
        left = 40 << 20
        largest = 0

        def read(self, size: int = -1) -> bytes:
            self.largest = max(self.largest, size if size >= 0 else self.left)
            piece = min(size, self.left)
            self.left -= piece
            return b"x" * piece

    ann = actor_of(make_member("Ann"))
    document_id = add_document(ann, open_matter(ann))
    stream = Stream()
    added = versions.add(ann, document_id, "Large.bin", stream, "")
    assert isinstance(added, versions.Added) and stream.largest == 1 << 20
    version = versions.require(ann, current_version(document_id))
    sizes = [len(piece) for piece in versions.chunks(version)]
    assert sum(sizes) == version.size == 40 << 20 and max(sizes) <= 1 << 20
