"""The bytes of one version of a document, as a stream that owns up when it was cut short."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import unquote

import requests
from urllib3.exceptions import HTTPError

from .client import Client
from .errors import CutStream
from .ids import DocumentId, of_object

_READ = 128 * 1024
_LINGER_SECONDS = 1.0


class Download:
    """A stream of bytes that begins at `start`. `resumed` is False where the server began again at 0.

    `length` is what is to come from there, or None where the server did not say.
    """

    def __init__(self, response: requests.Response, offset: int) -> None:
        self._response = response
        self.resumed = offset > 0 and response.status_code == 206
        self.start = offset if self.resumed else 0
        if self.resumed and _range_start(response) != offset:
            response.close()
            raise CutStream("iManage sent another part of the file than the one asked for.")
        self._packed = response.headers.get("Content-Encoding", "identity").strip().lower() not in {
            "",
            "identity",
        }
        length = response.headers.get("Content-Length", "")
        self.length = int(length) if length.isdecimal() and not self._packed else None
        self.file_name = _file_name(response.headers.get("Content-Disposition", ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up. One with bytes still to come cannot be used again."""
        self._response.close()

    def chunks(self, size: int = 1024 * 1024) -> Iterator[bytes]:
        """The bytes in pieces of up to `size`; on a slow line smaller ones, so that whoever reads can still stop.

        A body that ends before its announced length, or breaks its framing, ends in CutStream.
        """
        gathered: list[bytes] = []
        count, since = 0, time.monotonic()
        try:
            while part := self._response.raw.read1(min(_READ, size - count), decode_content=self._packed):
                gathered.append(part)
                count += len(part)
                if count >= size or time.monotonic() - since > _LINGER_SECONDS:
                    yield b"".join(gathered)
                    gathered.clear()
                    count, since = 0, time.monotonic()
        except (HTTPError, OSError, ValueError) as error:
            raise CutStream from error
        if gathered:
            yield b"".join(gathered)


def download(client: Client, document_id: str, offset: int = 0) -> Download:
    """Open the bytes of one version. With an offset the rest is asked for, and `resumed` says whether it came."""
    if DocumentId.parse(document_id).version is None:
        raise ValueError("a download names its version")
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if offset > 0:
        headers["Range"] = f"bytes={offset}-"
    response = client.stream(of_object("documents", document_id, "download"), headers=headers)
    return Download(response, offset)


def _range_start(response: requests.Response) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _file_name(disposition: str) -> str | None:
    """The name that the server suggests, without any folder. It is a hint, never a path."""
    extended = re.search(r"filename\*\s*=\s*UTF-8''([^;]+)", disposition, re.IGNORECASE)
    plain = re.search(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]+))', disposition, re.IGNORECASE)
    if extended:
        name = unquote(extended[1].strip(), errors="replace")
    elif plain:
        name = plain[1] if plain[1] is not None else plain[2].strip()
    else:
        return None
    last = re.split(r"[/\\]", name)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:255] or None
