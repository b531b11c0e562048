"""Downloads: requests, untrusted headers, and truncated bodies."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
import responses

from imanage import errors
from imanage.documents import download
from imanage.ids import VersionId
from tests.unit.imanage.support import BASE, client

URL = f"{BASE}/libraries/Active/documents/Active!7.2/download"
BODY = bytes(range(256)) * 20_000
HEADERS = {"Content-Disposition": 'attachment; filename="Deed.docx"'}


@responses.activate
def test_streams_the_bytes_as_they_are() -> None:
    responses.get(URL, body=BODY, headers=HEADERS, auto_calculate_content_length=True)
    with download(client(), VersionId("Active", 7, 2)) as stream:
        pieces = list(stream.chunks(100_000))
        assert (stream.length, stream.file_name, stream.resumed) == (len(BODY), "Deed.docx", False)
    assert b"".join(pieces) == BODY
    assert {len(piece) for piece in pieces[:-1]} == {100_000}
    headers = responses.calls[0].request.headers
    assert headers["Accept-Encoding"] == "identity"
    assert "Range" not in headers


@responses.activate
def test_resumes_where_the_server_can() -> None:
    headers = {"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"}
    responses.get(URL, status=206, body=BODY[1000:], headers=headers, auto_calculate_content_length=True)
    with download(client(), VersionId("Active", 7, 2), offset=1000) as stream:
        assert (stream.resumed, stream.start, stream.length) == (True, 1000, len(BODY) - 1000)
        assert b"".join(stream.chunks()) == BODY[1000:]
    assert responses.calls[0].request.headers["Range"] == "bytes=1000-"


@responses.activate
def test_says_so_when_the_server_begins_again() -> None:
    responses.get(URL, body=BODY)
    with download(client(), VersionId("Active", 7, 2), offset=1000) as stream:
        assert (stream.resumed, stream.start) == (False, 0)
        assert b"".join(stream.chunks()) == BODY


@pytest.mark.parametrize("given", ["bytes 999-1999/2000", "bytes */2000", "", "x"])
@responses.activate
def test_a_different_range_than_requested_is_refused(given: str) -> None:
    responses.get(URL, status=206, body=BODY, headers={"Content-Range": given})
    with pytest.raises(errors.CutStreamError):
        download(client(), VersionId("Active", 7, 2), offset=1000)


@responses.activate
def test_a_compressed_body_is_decompressed_and_its_length_ignored() -> None:
    responses.get(URL, body=gzip.compress(BODY), headers={"Content-Encoding": "gzip"})
    with download(client(), VersionId("Active", 7, 2)) as stream:
        assert stream.length is None
        assert b"".join(stream.chunks()) == BODY


@responses.activate
def test_broken_compression_is_a_cut_stream() -> None:
    responses.get(URL, body=b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with download(client(), VersionId("Active", 7, 2)) as stream, pytest.raises(errors.CutStreamError):
        list(stream.chunks())


@responses.activate
def test_an_empty_document() -> None:
    responses.get(URL, body=b"")
    with download(client(), VersionId("Active", 7, 2)) as stream:
        assert list(stream.chunks()) == []


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="Deed.docx"', "Deed.docx"),
        ("attachment; filename=Deed.docx", "Deed.docx"),
        ("attachment; filename=x.docx; filename*=UTF-8''%C3%9Cbersicht.docx", "Übersicht.docx"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\x.docx"', "x.docx"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx", "x"),
        ("attachment; filename*=UTF-8''a%0d%0ab", "ab"),
        ('attachment; filename=""', None),
        ("attachment", None),
        ("", None),
    ],
)
@responses.activate
def test_the_suggested_name_is_only_a_name(disposition: str, name: str | None) -> None:
    responses.get(URL, body=b"x", headers={"Content-Disposition": disposition} if disposition else {})
    with download(client(), VersionId("Active", 7, 2)) as stream:
        assert stream.file_name == name


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 401}, errors.UnauthorisedError),
        ({"status": 403}, errors.ForbiddenError),
        ({"status": 404, "json": {"error": {"code": "NRC_NO_RECORD"}}}, errors.NotFoundError),
        ({"status": 429, "headers": {"x-ratelimit-reset": "1"}}, errors.ThrottledError),
        ({"status": 500}, errors.ServerFaultError),
        ({"status": 302, "headers": {"Location": "https://evil.test/"}}, errors.NotIManageError),
    ],
)
@responses.activate
def test_refusals(answer: dict[str, Any], kind: type[errors.ImanageError]) -> None:
    responses.get(URL, **answer)
    with pytest.raises(kind):
        download(client(), VersionId("Active", 7, 2))
    assert len(responses.calls) == 1


@responses.activate
def test_a_range_that_begins_at_no_number_of_bytes_is_another_part() -> None:
    responses.get(URL, body=b"x", status=206, headers={"Content-Range": f"bytes {'9' * 5000}-/*"})
    with pytest.raises(errors.CutStreamError):
        download(client(), VersionId("Active", 7, 2), offset=1000)
