"""Downloads one version of a document as a stream that detects truncation."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from .client import Client
from .errors import CutStreamError
from .guard import deadline_of, raw_body
from .ids import MAX_NUMBER, VersionId, object_path

_RANGE = re.compile(r"bytes (\d{1,20})-")
_EXTENDED_NAME = re.compile(r"filename\*\s{0,9}=\s{0,9}UTF-8''([^;]+)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r'filename\s{0,9}=\s{0,9}(?:"((?:[^"\\]|\\.)*)"|([^;]+))', re.IGNORECASE)
_FOLDERS = re.compile(r"[/\\]")
_READ = 128 * 1024
_TAIL = 64 * 1024
_MAX_READ_SECONDS = 1.0


class Download:
    """A stream of bytes that begins at `start`. `resumed` is False if the server started again at 0.

    `length` is the number of bytes from `start` on, or None if the server did not say. `framed`: the response has a
    Content-Length or is chunked, so a truncated body raises CutStreamError and any other body is complete.
    """

    def __init__(self, response: requests.Response, offset: int) -> None:
        self._response = response
        self.resumed = offset > 0 and response.status_code == 206
        self.start = offset if self.resumed else 0
        if self.resumed and _range_start(response) != offset:
            response.close()
            raise CutStreamError("iManage sent a different part of the file than requested.")
        self._is_compressed = response.headers.get("Content-Encoding", "identity").strip().lower() not in {
            "",
            "identity",
        }
        length = response.headers.get("Content-Length", "")
        self.length = None if self._is_compressed else _number(length)
        self.framed = length.isdecimal() or bool(response.raw.chunked)
        self.file_name = _file_name(response.headers.get("Content-Disposition", ""))
        if deadline := deadline_of(response):
            deadline.require_minimum_rate()
        self._raw_body = raw_body(response) if self.length else None
        self._error: CutStreamError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connection. If bytes are still to come it is not reused."""
        self._response.close()

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer and return the number of bytes, 0 at the end. Returns early on a slow connection.

        A body shorter than announced, or with broken chunks, raises CutStreamError after its last good bytes have been
        returned.
        """
        if self._error:
            raise self._error
        count, since = 0, time.monotonic()
        try:
            while count < len(buffer) and (came := self._read(buffer[count:])):
                count += came
                if time.monotonic() - since > _MAX_READ_SECONDS:
                    break
        except (HTTPError, OSError, ValueError) as error:
            self._error = CutStreamError()
            self._error.__cause__ = error
            if not count:
                raise self._error from error
        return count

    def chunks(self, size: int = 1024 * 1024) -> Iterator[bytes]:
        """The bytes in blocks of up to `size`."""
        buffer = memoryview(bytearray(size))
        while count := self.readinto(buffer):
            yield bytes(buffer[:count])

    def _read(self, buffer: memoryview) -> int:
        """Read at least one byte; 0 at the end."""
        raw = self._response.raw
        # urllib3 copies every 16 KiB TLS record into a new bytes object. All but the tail is therefore read from the
        # http.client response below it, and both counters are updated. urllib3 reads the tail and then returns the
        # connection to the pool.
        direct = (raw.length_remaining or 0) - _TAIL
        if self._raw_body and direct > 0:
            came = self._raw_body.fp.readinto1(buffer[:direct])
            if not came:
                raise ProtocolError("The connection ended before the body did.")
            self._raw_body.length = raw.length_remaining = direct - came + _TAIL
            return came
        data = raw.read1(min(_READ, len(buffer)), decode_content=self._is_compressed)
        buffer[: len(data)] = data
        return len(data)


def download(client: Client, id: VersionId, offset: int = 0) -> Download:
    """Open the content of one version. With an offset, request the rest; `resumed` tells whether the server agreed.

    A server that is known to ignore ranges is not asked for one.
    """
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if offset > 0 and client.facts.ranges:
        headers["Range"] = f"bytes={offset}-"
    response = client.stream(object_path("documents", str(id), "download"), headers=headers)
    return Download(response, offset)


def _range_start(response: requests.Response) -> int | None:
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    return _number(found[1]) if found else None


def _number(digits: str) -> int | None:
    """A number of bytes, or None if it is not a possible file size."""
    return int(digits) if digits.isdecimal() and len(digits) <= len(str(MAX_NUMBER)) else None


def _file_name(disposition: str) -> str | None:
    """The file name from Content-Disposition, without folders. Never to be used as a path."""
    extended = _EXTENDED_NAME.search(disposition)
    plain = _PLAIN_NAME.search(disposition)
    if extended:
        name = unquote(extended[1].strip(), errors="replace")
    elif plain:
        name = plain[1] if plain[1] is not None else plain[2].strip()
    else:
        return None
    last = _FOLDERS.split(name)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:255] or None
