"""Reads HTTP/1.1 requests from a connection: the head, and the body as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from urllib.parse import unquote_to_bytes

MAX_LINE = 65536


class ClientGoneError(ConnectionError):
    """The client disconnected in the middle of its request."""


class BadRequestError(ValueError):
    """The request is not valid HTTP."""


@dataclass(frozen=True)
class Head:
    method: str
    target: str
    version: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def keep_alive(self) -> bool:
        connection = self.headers.get("connection", "").lower()
        return "close" not in connection if self.version == "HTTP/1.1" else "keep-alive" in connection

    @property
    def token(self) -> str:
        """The token of either header, to identify the caller."""
        bearer = self.headers.get("authorization", "")
        return self.headers.get("x-auth-token") or bearer.removeprefix("Bearer ").strip()


def read_head(reader: BufferedReader) -> Head | None:
    """The next request's head, or None when the connection was closed between requests."""
    line = reader.readline(MAX_LINE + 1)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or len(line) > MAX_LINE:
        raise BadRequestError("not an HTTP/1 request line")
    headers: dict[str, str] = {}
    while (line := reader.readline(MAX_LINE + 1)) not in (b"\r\n", b"\n"):
        if not line:
            raise ClientGoneError("closed inside the head")
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(headers) > 200 or len(line) > MAX_LINE:
            raise BadRequestError("not a header line")
        headers[name.strip().lower()] = value.strip()
    target = parts[1]
    if target.startswith(("http://", "https://")):
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    return Head(parts[0].upper(), target, parts[2], headers)


class Body:
    """A request body as WSGI input, by Content-Length or chunked. A truncated body raises ClientGoneError."""

    def __init__(
        self, reader: BufferedReader, headers: dict[str, str], send_continue: Callable[[], None]
    ) -> None:
        self._reader = reader
        self._send_continue = send_continue
        self.chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        try:
            self._left = 0 if self.chunked else int(headers.get("content-length") or 0)
        except ValueError as error:
            raise BadRequestError("Content-Length is not a number") from error
        self.done = not self.chunked and self._left == 0
        self.received = 0

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 16), b""))
        if self.done or size == 0:
            return b""
        self._send_continue()
        if self.chunked and self._left == 0 and not self._next_chunk():
            return b""
        data = self._reader.read1(min(size, self._left))
        if not data:
            raise ClientGoneError("closed inside the body")
        self._left -= len(data)
        self.received += len(data)
        if self._left == 0:
            if self.chunked:
                self._reader.readline(MAX_LINE)
            else:
                self.done = True
        return data

    def _next_chunk(self) -> bool:
        line = self._reader.readline(MAX_LINE)
        try:
            self._left = int(line.split(b";")[0], 16)
        except ValueError as error:
            raise ClientGoneError("closed between chunks") from error
        if self._left == 0:
            while self._reader.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
                continue
            self.done = True
        return self._left > 0

    def readline(self, size: int = -1) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n") and (size < 0 or len(line) < size) and (byte := self.read(1)):
            line += byte
        return bytes(line)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def skip(self, limit: int) -> bool:
        """Discard up to `limit` more bytes. Returns whether that was the whole body."""
        end = self.received + limit
        while not self.done and self.received < end:
            if not self.read(min(1 << 16, end - self.received)):
                break
        return self.done


def environ_of(
    head: Head, body: Body, server: tuple[str, int], client: str, errors: object
) -> dict[str, object]:
    """The WSGI environment of a request."""
    environ: dict[str, object] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(head.path).decode("latin-1"),
        "QUERY_STRING": head.query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": head.version,
        "REMOTE_ADDR": client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": errors,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in head.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ
