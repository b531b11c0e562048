"""Downloads: whole or a piece, always as a file to be kept, under the name it has here."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from contextlib import closing

import pytest
from sqlalchemy import select

from models import AuditEvent, Version
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.matters import versions
from storage.names import key_of
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
        ("bytes=-9999", 0, 2560),
        ("bytes=2559-9999", 2559, 2560),
    ],
)
def test_a_piece_of_it(browser: Browser, url: str, asked: str, start: int, stop: int) -> None:
    answer = browser.get(url, headers={"Range": asked})
    assert answer.status_code == (206 if stop - start < 2560 else 200)
    assert answer.data == CONTENT[start:stop]
    if answer.status_code == 206:
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
    answer = browser.get(url, headers={"Range": "bytes=2560-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */2560"
    assert downloads() == 0


def test_a_cached_copy_is_not_sent_again(browser: Browser, url: str) -> None:
    etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    for headers in ({"If-None-Match": etag}, {"If-None-Match": f"W/{etag}"}, {"If-None-Match": "*"}):
        answer = browser.get(url, headers=headers)
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
    assert browser.get(url, headers={"If-Match": '"another"'}).status_code == 412
    assert downloads() == 0
    assert browser.get(url, headers={"If-None-Match": '"another"'}).data == CONTENT
    assert downloads() == 1


RANGES = [
    None,
    "",
    "bytes",
    "bytes=",
    "bytes=0-",
    "bytes=0-0",
    "bytes=1-",
    "bytes=1-1",
    "bytes=1-1,2-",
    "bytes=1-1,2-2",
    "bytes=0-0,-1",
    "bytes=-0",
    "bytes=-1",
    "bytes=-2559",
    "bytes=-2560",
    "bytes=-824",
    "bytes=-99999999999999999999999",
    "bytes=2559-",
    "bytes=2560-",
    "bytes=2560-2561",
    "bytes=99999999999999999999999-",
    "bytes=0-99999999999999999999999",
    "bytes=5-1",
    "bytes=--1",
    "bytes=+1-2",
    "bytes=1_0-2_0",
    "bytes=0x1-0x2",
    "bytes=\u0661-\u0662",
    "bytes = 1 - 2",
    "BYTES=1-2",
    "bytes=1-2;q=1",
    "bytes=1-2, bytes=3-4",
    "foo=1-2",
    "foo=bytes=1-2",
    "bytes=a-b",
    "=1-2",
    "bytes=1-2\t",
]
IF_RANGES = [
    None,
    "right",
    "weak",
    '"another"',
    "another",
    "",
    "*",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "nonsense",
]


@pytest.mark.parametrize("asked", RANGES, ids=ascii)
def test_what_is_on_record_is_what_was_sent(browser: Browser, url: str, asked: str | None) -> None:
    """Whatever was asked for: an answer that delivers a byte is one download, and one that delivers none is none."""
    etag = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    for if_range in IF_RANGES:
        known = {"right": etag, "weak": f"W/{etag}"}
        headers = {} if asked is None else {"Range": asked.encode().decode("latin-1")}
        headers |= {} if if_range is None else {"If-Range": known.get(if_range, if_range)}
        before = downloads()
        assert (browser.client.head(url, headers=headers).data, downloads()) == (b"", before)
        answer = browser.get(url, headers=headers)
        assert answer.status_code in {200, 206, 416}
        file = answer.data if answer.status_code != 416 else b""
        assert downloads() - before == (1 if file else 0), (asked, if_range, answer.status_code)
        if answer.status_code == 206:
            first, last = map(int, answer.headers["Content-Range"][6:].split("/")[0].split("-"))
            assert file == CONTENT[first : last + 1]
            assert if_range in {None, "right"}
        elif answer.status_code == 200:
            assert file == CONTENT
        else:
            assert answer.headers["Content-Range"] == "bytes */2560"


def test_a_piece_says_in_the_audit_which_it_was(browser: Browser, url: str) -> None:
    browser.get(url, headers={"Range": "bytes=0-99"})
    browser.get(url)
    parts = [
        event.detail.get("part", "")
        for event in session().scalars(select(AuditEvent).order_by(AuditEvent.at))
    ]
    assert sorted(part for part in parts if part) == ["bytes 1 to 100 of 2560"]


def test_a_question_about_the_size_is_no_download(browser: Browser, url: str) -> None:
    head = browser.client.head(url)
    assert (head.headers["Content-Length"], head.data) == ("2560", b"")
    assert downloads() == 0


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
    runtime().blobs.delete(version.sha256)
    answer = browser.get(url)
    assert answer.status_code == 400
    assert "restore it from a backup" in answer.get_data(as_text=True)
    assert downloads() == 0


def test_a_file_that_was_cut_short_in_the_store_is_never_sent_as_the_whole(
    browser: Browser, url: str
) -> None:
    version = session().scalars(select(Version)).one()
    os.truncate(runtime().settings.data_dir / "blobs" / key_of(version.sha256), 100)
    answer = browser.get(url)
    assert answer.status_code == 400
    assert "is damaged" in answer.get_data(as_text=True)
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
    stream = versions.send(ann, version, 0, version.size)
    with closing(stream):
        sizes = [len(piece) for piece in iter(lambda: stream.read(1 << 20), b"")]
    assert sum(sizes) == version.size == 40 << 20 and max(sizes) <= 1 << 20
