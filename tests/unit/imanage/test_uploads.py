"""The body of an upload: exact bytes and size, verified while sent, safe against hostile file names."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
import responses

from imanage import documents, errors
from imanage.upload_hashing import BLOCK
from imanage.uploads import Multipart, Upload
from tests.unit.imanage.support import BASE, client, document_row

CONTENT = b"A deed of variation.\r\n--x\r\n" * 40


def upload(content: bytes = CONTENT, **fields: Any) -> Upload:
    given: dict[str, Any] = {
        "name": "Deed",
        "extension": "docx",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "open": lambda: io.BytesIO(content),
    }
    return Upload(**{**given, **fields})


class StoppedError(Exception):
    """The caller's own."""


def stop_if(is_stopping: Callable[[], bool]) -> Callable[[], None]:
    def require_not_stopped() -> None:
        if is_stopping():
            raise StoppedError

    return require_not_stopped


def parts(body: bytes, content_type: str) -> list[Any]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return list(message.iter_parts())


@responses.activate
def test_a_new_document_carries_its_profile_and_its_bytes() -> None:
    url = f"{BASE}/libraries/Active/folders/Active!427/documents"
    bodies: list[tuple[bytes, Any]] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        bodies.append((b"".join(request.body), request.headers))
        stored = {
            "data": document_row(version=1, id="Active!9.1"),
            "warnings": [{"field": "custom2", "error": "Missing"}],
        }
        return 201, {}, json.dumps(stored)

    responses.add_callback("POST", url, answer)
    stored = documents.create(client(), "Active!427", upload(comment="First", keep_locked=True))
    assert str(stored.document.id) == "Active!9.1"
    assert [(warning.field, warning.message) for warning in stored.warnings] == [("custom2", "Missing")]
    ((body, headers),) = bodies
    assert headers["Content-Length"] == str(len(body))
    assert "Transfer-Encoding" not in headers
    profile, file = parts(body, headers["Content-Type"])
    assert profile["Content-Disposition"].params == {"name": "profile"}
    assert profile.get_content_type() == "application/json"
    assert json.loads(profile.get_payload(decode=True)) == {
        "warnings_for_required_and_disabled_fields": True,
        "keep_locked": True,
        "inherit_profile_from_folder": True,
        "doc_profile": {
            "name": "Deed",
            "extension": "docx",
            "type": "WORDX",
            "size": len(CONTENT),
            "checksum": "SHA256:" + hashlib.sha256(CONTENT).hexdigest().upper(),
            "comment": "First",
        },
    }
    assert file["Content-Disposition"].params == {"name": "file", "filename": "Deed.docx"}
    assert CONTENT in body


@pytest.mark.parametrize(
    ("act", "method", "path"),
    [(documents.add_version, "POST", "versions"), (documents.replace, "PUT", "file")],
)
@responses.activate
def test_a_version_is_sent_without_a_name(act: Any, method: str, path: str) -> None:
    profiles: list[Any] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        profile, _ = parts(b"".join(request.body), request.headers["Content-Type"])
        profiles.append(json.loads(profile.get_payload(decode=True)))
        return 200, {}, json.dumps({"data": document_row()})

    responses.add_callback(method, f"{BASE}/libraries/Active/documents/Active!104512.3/{path}", answer)
    stored = act(client(), "Active!104512.3", upload(extension="DWG"))
    assert stored.document.version == 3
    assert stored.warnings == ()
    assert "name" not in profiles[0]["doc_profile"]
    assert "type" not in profiles[0]["doc_profile"]
    assert profiles[0]["doc_profile"]["extension"] == "dwg"


def test_the_length_is_exact_and_blocks_are_bounded() -> None:
    content = b"x" * (3 * BLOCK + 17)
    body = Multipart({"a": "é"}, upload(content))
    lengths = [len(block) for block in body]
    assert sum(lengths) == len(body)
    assert [length // BLOCK for length in lengths] == [1, 1, 1, 0, 0]
    assert lengths[1:4] == [BLOCK, BLOCK, 17]
    assert body.started


def test_the_prefix_is_sent_with_the_first_block() -> None:
    first = bytes(next(iter(Multipart({}, upload(b"x" * (BLOCK + 1))))))
    assert first.startswith(b"--counterpart-")
    assert first.endswith(b"\r\n\r\n" + b"x" * BLOCK)


@pytest.mark.parametrize("content", [b"", b"x"])
def test_an_empty_file_is_a_file(content: bytes) -> None:
    body = Multipart({}, upload(content))
    assert len(b"".join(body)) == len(body)


class Dribble(io.RawIOBase):
    """Content that returns little per read."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(memoryview(buffer)[: max(1, len(buffer) // 3)])


class OnDisk(io.FileIO):
    """Content in a local file."""

    @property
    def file(self) -> io.FileIO:
        return self


@pytest.mark.parametrize("length", [0, 1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 17])
def test_content_may_come_from_an_open_file_or_in_pieces(length: int, tmp_path: Path) -> None:
    content = random.Random(length).randbytes(length)
    (tmp_path / "content").write_bytes(content)
    for source in (io.BytesIO(content), lambda: Dribble(content), lambda: OnDisk(tmp_path / "content")):
        body = Multipart({}, upload(content, open=source))
        raw = b"".join(bytes(block) for block in body)
        assert len(raw) == len(body)
        assert b"\r\n\r\n" + content + b"\r\n--" in raw


@pytest.mark.parametrize(
    "name",
    [
        'x"; filename="evil.exe',
        "a\r\nContent-Type: text/html\r\n\r\n<script>",
        "a\nb",
        "a\x00b",
        "\u202egnp.exe",
        "C:\\temp\\x",
        "Vereinbarung über Größe",
        "契約書",
        "\ud800broken",
        "a" * 300,
    ],
)
def test_a_file_name_cannot_escape_its_header(name: str) -> None:
    body = Multipart({"doc_profile": {"name": name}}, upload(name=name))
    raw = b"".join(body)
    assert len(raw) == len(body)
    head = raw.split(b'name="file"', 1)[1].split(b"\r\n\r\n", 1)[0]
    assert head.count(b"\r\n") == 1
    assert head.count(b'"') == 2
    assert raw.count(b"Content-Disposition") == 2
    profile, _ = parts(raw, body.content_type)
    assert json.loads(profile.get_payload(decode=True))["doc_profile"]["name"] == name


@pytest.mark.parametrize("content", [CONTENT, CONTENT + b"x" * BLOCK])
@pytest.mark.parametrize("longer", [1, -1, 0])
@pytest.mark.parametrize("on_disk", [True, False])
def test_a_source_that_changed_is_never_sent_to_its_end(
    content: bytes, longer: int, on_disk: bool, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"size": len(content) + longer} if longer else {"sha256": "0" * 64}
    if on_disk:
        (tmp_path / "content").write_bytes(content)
        changes["open"] = lambda: OnDisk(tmp_path / "content")
    body = Multipart({}, upload(content, **changes))
    sent = bytearray()
    with pytest.raises(errors.SourceFailedError):
        for block in body:
            sent += block
    assert not sent.endswith(b"--\r\n")
    assert len(sent) < len(body)
    assert longer >= 0 or content not in sent


def test_a_small_document_is_sent_in_one_block_and_can_be_stopped_before() -> None:
    told: list[int] = []
    (piece,) = Multipart({}, upload(on_progress=told.append))
    assert CONTENT in bytes(piece)
    assert told == [len(CONTENT)]
    with pytest.raises(StoppedError):
        next(iter(Multipart({}, upload(require_not_stopped=stop_if(lambda: True)))))


def test_a_disk_error_is_not_a_connection_error() -> None:
    @contextmanager
    def broken() -> Iterator[Iterator[bytes]]:
        raise OSError(5, "Input/output error")
        yield iter(())

    with pytest.raises(errors.SourceFailedError):
        list(Multipart({}, upload(open=broken)))


def test_progress_is_reported_and_a_stop_checked_between_blocks() -> None:
    content = b"x" * (3 * BLOCK)
    told: list[int] = []
    stopping = upload(content, on_progress=told.append, require_not_stopped=stop_if(lambda: len(told) == 2))
    with pytest.raises(StoppedError):
        list(Multipart({}, stopping))
    assert told == [BLOCK, 2 * BLOCK]


def test_a_file_that_changes_while_it_is_sent_is_never_sent_to_its_end(tmp_path: Path) -> None:
    content, path = b"x" * (3 * BLOCK), tmp_path / "content"
    path.write_bytes(content)
    os.utime(path, (1, 1))
    body = Multipart({}, upload(content, open=lambda: OnDisk(path)))
    sent = bytearray()
    with pytest.raises(errors.SourceFailedError):
        for block in body:
            sent += block
            with path.open("r+b") as other:
                other.seek(2 * BLOCK)
                other.write(b"y")
    assert len(sent) < len(body)


@pytest.mark.parametrize(
    "answer", [{"body": "<html>"}, {"json": {}}, {"json": {"data": []}}, {"json": {"data": {"id": 1}}}]
)
@responses.activate
def test_an_answer_that_names_no_document_is_unknown(answer: dict[str, Any]) -> None:
    responses.post(f"{BASE}/libraries/Active/folders/Active!427/documents", status=201, **answer)
    with pytest.raises(errors.OutcomeUnknownError):
        documents.create(client(), "Active!427", upload())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.UnauthorisedError),
        (409, errors.ConflictError),
        (413, errors.TooLargeError),
        (429, errors.ThrottledError),
        (503, errors.OutcomeUnknownError),
    ],
)
@responses.activate
def test_a_refused_upload_is_sent_once(status: int, kind: type[errors.ImanageError]) -> None:
    responses.post(f"{BASE}/libraries/Active/folders/Active!427/documents", status=status)
    with pytest.raises(kind):
        documents.create(client(), "Active!427", upload())
    assert len(responses.calls) == 1
