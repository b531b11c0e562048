"""One connection: a large body is read when the application asks for it, and a stalled peer occupies no thread."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask
from waitress.utilities import BadRequest, RequestEntityTooLarge

from blueprints.authorization import BODY_LIMIT, FORM_LIMIT
from commands.web_files import outgoing

STALL_SECONDS = 60.0
"""A connection without any progress for this long is closed; so is one whose headers are incomplete by then."""
LINGER_SECONDS = 5.0
"""For this long a refused body is read and discarded: on a closed connection its sender would not see the response."""
FRAMING_LIMIT = 64 * 1024
"""Bytes of chunk sizes, extensions and trailers that a chunked body may have, plus a quarter of its content."""


class BodyWantedError(BaseException):
    """The application reads a body that has not arrived yet. Its own handlers must not catch this."""


class AwaitedBody:
    """Stands in for a body until it is read."""

    def read(self, _size: int = -1) -> bytes:
        raise BodyWantedError

    readline = readlines = readinto = __iter__ = read


class Parser(HTTPRequestParser):
    """A request. A large body is not read until the application asks for it."""

    headers_finished: bool
    expect_continue: bool
    limit = FORM_LIMIT
    is_announced = False
    is_expecting = False

    @property
    def is_large(self) -> bool:
        return bool(self.chunked or self.content_length > FORM_LIMIT)

    @property
    def is_unannounced(self) -> bool:
        """Whether its headers are complete and the application has not been called with them."""
        return self.headers_finished and self.is_large and not self.is_announced

    def received(self, data: bytes) -> int:
        in_body = self.headers_finished
        try:
            count: int = super().received(data)
        except ValueError:  # from Python: half an IPv6 address, or a number of 5,000 digits
            count, self.headers_finished = len(data), True
            self._refuse(BadRequest("The request line or a header cannot be read."))
        if not in_body and self.headers_finished and not self.error:
            if self._is_ambiguous:
                self._refuse(BadRequest("How the body is sent can be read in two ways."))
            elif self.is_large:
                self.is_expecting, self.expect_continue = self.expect_continue, False
        elif in_body and not self.error and self._is_too_much():
            self._refuse(RequestEntityTooLarge(f"exceeds {self.limit} bytes"))
        return count

    @property
    def _is_ambiguous(self) -> bool:
        """A proxy could see the body end elsewhere: chunks in HTTP/1.0, or chunks and a length (RFC 9112, 6.1)."""
        return "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers)

    def _is_too_much(self) -> bool:
        size = len(self.body_rcv)
        return size > self.limit or self.body_bytes_received - size > FRAMING_LIMIT + size // 4

    def _refuse(self, error: BadRequest | RequestEntityTooLarge) -> None:
        self.error, self.completed = error, True

    def take(self, limit: int) -> None:
        """Read the body, up to this many bytes."""
        self.limit = limit
        self.expect_continue = self.is_expecting


class HeadersOnly:
    """A request whose body has not arrived."""

    error = None

    def __init__(self, whole: Parser) -> None:
        self.whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def get_body_stream(self) -> AwaitedBody:
        return AwaitedBody()

    def close(self) -> None:
        """The body belongs to the complete request."""


class Task(WSGITask):
    """One call of the application. For a large body there are two: the first has only the headers."""

    is_body_wanted = False

    def start(self) -> None:
        super().start()
        if isinstance(self.request, HeadersOnly) or self.channel.server.is_stopping:
            self.set_close_on_finish()

    def execute(self) -> None:
        try:
            super().execute()
        except BodyWantedError:
            self.is_body_wanted = True

    def finish(self) -> None:
        if self.is_body_wanted:
            self.close_on_finish = False
            self.request.whole.take(self.get_environment().get(BODY_LIMIT, FORM_LIMIT))
            return
        super().finish()
        self.channel.is_refused = isinstance(self.request, HeadersOnly)
        with self.channel.requests_lock:
            # A pipelined request would make a thread wait until the client has read this response.
            self.close_on_finish = self.close_on_finish or len(self.channel.requests) > 1

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["wsgi.file_wrapper"] = self._file
        return environ

    def _file(self, file: Any, _block_size: int = 0) -> Any:
        return outgoing(file, self.channel.server.pull_trigger)


class Channel(HTTPChannel):
    """One connection, checked by the loop every second."""

    parser_class = Parser
    task_class = Task
    is_refused = False
    lingers_until: float | None = None
    headers_since: float | None = None
    queued_before = 0

    @property
    def is_busy(self) -> bool:
        """Whether a request is in progress."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        with self.requests_lock:
            if taken and self.request is not None and self.request.is_unannounced:
                self.request.is_announced = True
                self.requests.append(HeadersOnly(self.request))
                if len(self.requests) == 1:
                    self.server.add_task(self)
        return taken

    def readable(self) -> bool:
        return self.lingers_until is not None or bool(super().readable())

    def writable(self) -> bool:
        if self.will_close:
            return True
        if self.lingers_until is not None or getattr(self.outbufs[0], "waiting", False):
            return False
        return bool(super().writable())

    def _flush_some(self, do_close: bool = True) -> bool:
        """Under the lock: waitress's loop takes none while no request is queued, but 100 Continue is sent then."""
        with self.outbuf_lock:
            return bool(super()._flush_some(do_close))

    def handle_read(self) -> None:
        if self.lingers_until is None:
            super().handle_read()
            return
        try:
            self.recv(self.adj.recv_bytes)
        except OSError:
            self.handle_close()

    def handle_close(self) -> None:
        if self.is_refused and self.connected and self.lingers_until is None and not self.total_outbufs_len:
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            else:
                self.lingers_until = time.time() + LINGER_SECONDS
                self.will_close = False
                return
        super().handle_close()

    def drop(self) -> None:
        """Close the connection now, whatever is in progress."""
        self.is_refused = False
        self.handle_close()

    def check(self, now: float) -> None:
        """Close it if the peer has made no progress for too long. A request that is merely slow is not interrupted."""
        if (queued := self._queued()) != self.queued_before:
            self.queued_before, self.last_activity = queued, now
        is_reading = self.request is not None and not self.request.headers_finished
        self.headers_since = (self.headers_since or now) if is_reading else None
        waits_for_peer = not self.requests or self.total_outbufs_len
        if (
            (self.lingers_until is not None and now > self.lingers_until)
            or (self.headers_since is not None and now > self.headers_since + STALL_SECONDS)
            or (waits_for_peer and now > self.last_activity + STALL_SECONDS)
        ):
            self.drop()

    def _queued(self) -> int:
        """Bytes in the kernel's send buffer: for a slow reader, minutes of data."""
        found = fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(found, sys.byteorder)
