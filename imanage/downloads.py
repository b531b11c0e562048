"""The bytes of one version of a document, as a stream that owns up when it was cut short."""

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
from .guard import deadline_of, line_of
from .ids import MAX_NUMBER, VersionId, of_object

_RANGE = re.compile(r"bytes (\d{1,20})-")
_EXTENDED_NAME = re.compile(r"filename\*\s{0,9}=\s{0,9}UTF-8''([^;]+)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r'filename\s{0,9}=\s{0,9}(?:"((?:[^"\\]|\\.)*)"|([^;]+))', re.IGNORECASE)
_FOLDERS = re.compile(r"[/\\]")
_READ = 128 * 1024
_TAIL = 64 * 1024
_LINGER_SECONDS = 1.0


class Download:
    """A stream of bytes that begins at `start`. `resumed` is False where the server began again at 0.

    `length` is what is to come from there, or None where the server did not say. `framed`: the server said how the
    body ends, so that one that is cut short ends in CutStreamError and any other is all that the server sent.
    """

    def __init__(self, response: requests.Response, offset: int) -> None:
        self._response = response
        self.resumed = offset > 0 and response.status_code == 206
        self.start = offset if self.resumed else 0
        if self.resumed and _range_start(response) != offset:
            response.close()
            raise CutStreamError("iManage sent another part of the file than the one asked for.")
        self._packed = response.headers.get("Content-Encoding", "identity").strip().lower() not in {
            "",
            "identity",
        }
        length = response.headers.get("Content-Length", "")
        self.length = None if self._packed else _number(length)
        self.framed = length.isdecimal() or bool(response.raw.chunked)
        self.file_name = _file_name(response.headers.get("Content-Disposition", ""))
        if deadline := deadline_of(response):
            deadline.keep_pace()
        self._line = line_of(response) if self.length else None
        self._cut: CutStreamError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up. One with bytes still to come cannot be used again."""
        self._response.close()

    def readinto(self, room: memoryview) -> int:
        """Fill the room; on a slow line with less, so that whoever reads can still stop. 0 at the end.

        A body that ends before its announced length, or breaks its framing, ends in CutStreamError once the bytes
        before that have been handed out.
        """
        if self._cut:
            raise self._cut
        count, since = 0, time.monotonic()
        try:
            while count < len(room) and (came := self._read(room[count:])):
                count += came
                if time.monotonic() - since > _LINGER_SECONDS:
                    break
        except (HTTPError, OSError, ValueError) as error:
            self._cut = CutStreamError()
            self._cut.__cause__ = error
            if not count:
                raise self._cut from error
        return count

    def chunks(self, size: int = 1024 * 1024) -> Iterator[bytes]:
        """The bytes in pieces of up to `size`."""
        room = memoryview(bytearray(size))
        while count := self.readinto(room):
            yield bytes(room[:count])

    def _read(self, room: memoryview) -> int:
        """What has come, at least a byte of it; 0 at the end."""
        raw = self._response.raw
        # urllib3 makes new bytes of every 16 KiB that TLS gives. While much is to come it is read past it, from the
        # buffer below, and told to both who count; the tail is urllib3's, which then gives the connection back.
        beside = (raw.length_remaining or 0) - _TAIL
        if self._line and beside > 0:
            came = self._line.fp.readinto1(room[:beside])
            if not came:
                raise ProtocolError("The line ended before the body did.")
            self._line.length = raw.length_remaining = beside - came + _TAIL
            return came
        data = raw.read1(min(_READ, len(room)), decode_content=self._packed)
        room[: len(data)] = data
        return len(data)


def download(client: Client, id: VersionId, offset: int = 0) -> Download:
    """Open the bytes of one version. With an offset the rest is asked for, and `resumed` says whether it came."""
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if offset > 0:
        headers["Range"] = f"bytes={offset}-"
    response = client.stream(of_object("documents", str(id), "download"), headers=headers)
    return Download(response, offset)


def _range_start(response: requests.Response) -> int | None:
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    return _number(found[1]) if found else None


def _number(digits: str) -> int | None:
    """A number of bytes, where it is one that a file can have."""
    return int(digits) if digits.isdecimal() and len(digits) <= len(str(MAX_NUMBER)) else None


def _file_name(disposition: str) -> str | None:
    """The name that the server suggests, without any folder. It is a hint, never a path."""
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
