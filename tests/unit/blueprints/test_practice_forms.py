"""The practice server's reading of forms: byte for byte, however the line cuts them up."""

from __future__ import annotations

import io
import random

import pytest
from werkzeug.formparser import FormDataParser

from simulator.forms import FormReader

NOISE = random.Random(3).randbytes(3_000)
NEARLY = b"\r\n--mark\r\n--mar" + NOISE + b"\r\n--mar" + b"\r\n--\r\n-\r\n"


class Line(io.RawIOBase):
    """A form of which each read brings so many bytes at most."""

    def __init__(self, body: bytes, at_once: int) -> None:
        self._body, self._at_once = io.BytesIO(body), at_once

    def read(self, size: int = -1, /) -> bytes:
        return self._body.read(min(size, self._at_once))


def form(content: bytes) -> bytes:
    return (
        b"of no part\r\n--marked  \r\n"
        b'Content-Disposition: form-data; name="profile"\r\nContent-Type: application/json\r\n\r\n'
        b'{"name": "D\xc3\xa9ed"}\r\n--marked\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a b.docx"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--marked--\r\n"
    )


def read(
    body: bytes, at_once: int = 1 << 20, reader: type[FormDataParser] = FormReader
) -> tuple[object, object]:
    parser = reader(lambda *_args, **_named: io.BytesIO(), silent=True)
    _, fields, files = parser.parse(Line(body, at_once), "multipart/form-data", None, {"boundary": "marked"})
    return dict(fields), {
        name: (file.filename, file.content_type, file.stream.read()) for name, file in files.items()
    }


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 100, 1 << 20])
@pytest.mark.parametrize("content", [b"", b"x", b"\r\n", NEARLY])
def test_what_was_sent_is_read_whatever_the_line_does(content: bytes, at_once: int) -> None:
    fields, files = read(form(content), at_once)
    assert fields == {"profile": '{"name": "Déed"}'}
    assert files == {"file": ("a b.docx", "application/octet-stream", content)}


def test_werkzeug_reads_the_same() -> None:
    body = form(NEARLY)
    assert read(body) == read(body, reader=FormDataParser)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        form(NOISE)[:-20],
        b"--marked\r\n\r\nnameless\r\n--marked--",
        b"--marked\r\nContent-Disposition: form-data\r\n\r\nx\r\n--marked--",
    ],
)
def test_a_broken_form_is_an_empty_one(body: bytes) -> None:
    assert read(body) == ({}, {})


def test_other_forms_are_read_too() -> None:
    _, fields, _ = FormReader().parse(
        io.BytesIO(b"name=D%C3%A9ed"), "application/x-www-form-urlencoded", None, {}
    )
    assert dict(fields) == {"name": "Déed"}
