"""A line between Counterpart and the practice iManage, or its object store, that breaks in the ways that lines break.

It passes bytes on until it is told otherwise: refuse, swallow, dawdle, cut what goes up or comes down, change a byte of
it, answer in place of the server behind it, speak TLS.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

PIECE = 1 << 16
RESET = struct.pack("ii", 1, 0)
LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")
UPLOAD = rb"(?is)(POST|PUT) .*multipart/form-data"
REQUEST = re.compile(rb"[A-Z]+ /")


@dataclass
class Harm:
    """What is done to the next uploads: cut at a fraction of the body (or some bytes before its end), or changed.

    `what` is how the head of such a request begins. With `is_down` it is done to the answers of downloads.
    """

    fraction: float = 0.5
    before_end: int = 0
    how: str = "reset"
    times: int | None = None
    what: bytes = UPLOAD
    is_down: bool = False

    def place(self, length: int) -> int:
        return max(1, length - self.before_end if self.before_end else int(length * self.fraction))


@dataclass
class Answer:
    """The proxy's own answer to requests with this beginning, in place of the server's."""

    status: str
    body: bytes = b""
    what: bytes = rb"GET |HEAD |PUT |POST "
    times: int | None = None

    def said_to(self, request: bytes) -> bytes:
        body = b"" if request.startswith(b"HEAD") else self.body
        head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        return head.encode() + body


T = TypeVar("T", Harm, Answer)


class FaultProxy:
    """Listens on one port for the whole of a test, also while it refuses."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._fillers: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.context: ssl.SSLContext | None = None
        self.harm: Harm | None = None
        self.answer: Answer | None = None
        self.delay = 0.0
        self.is_silent = False
        self.connections = 0
        self.listen()

    def listen(self) -> None:
        """Take connections (again)."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def refuse(self) -> None:
        """Nobody listens at the port, and what was open is gone."""
        self._end_listener()
        self.cut_all()

    def swallow(self) -> None:
        """Connections are neither taken nor refused: the queue of a listener that never accepts is full."""
        self.refuse()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=0)
        for _ in range(2):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def mend(self) -> None:
        """As it was at the beginning."""
        self.harm, self.answer, self.delay, self.is_silent = None, None, 0.0, False
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._end_listener()
        self.cut_all()
        self.listen()

    def cut_all(self) -> None:
        """Every connection that is open ends here and now."""
        with self._lock:
            still, self._open = self._open, []
        for each in still:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def close(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._end_listener()
        self.cut_all()
        for thread in self._threads:
            thread.join(5)

    def _end_listener(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        far: socket.socket | None = None
        try:
            self._keep(near)
            if self.context is not None:
                near = self.context.wrap_socket(near, server_side=True)
                self._keep(near)
            far = socket.create_connection(self._target)
            self._keep(far)
            asked: list[bytes] = [b""]
            back = threading.Thread(target=self._back, args=(far, near, asked), daemon=True)
            back.start()
            self._up(near, far, asked)
            far.shutdown(socket.SHUT_WR)
            back.join(5)
        except OSError:
            pass  # either side went away, which is what this is about
        finally:
            for each in (near, far):
                if each is not None:
                    with contextlib.suppress(OSError):
                        socket.socket.shutdown(each, socket.SHUT_RDWR)
                    each.close()

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.append(connection)

    def _up(self, near: socket.socket, far: socket.socket, asked: list[bytes]) -> None:
        """What the client says, request by request as far as harm needs to know it. `asked` is its last request."""
        at = -1
        harm: Harm | None = None
        while piece := near.recv(PIECE):
            if self.is_silent:
                continue
            if REQUEST.match(piece):
                asked[0] = piece
                if (answer := self._take(self.answer, piece, piece)) is not None:
                    _drain(near, piece)
                    near.sendall(answer.said_to(piece))
                    return
            if harm is None and self.harm is not None and not self.harm.is_down:
                upload = _body_in(piece)
                harm = self._take(self.harm, piece, upload)
                if harm is not None and upload is not None:
                    start, length = upload
                    at = start + harm.place(length)
            if harm is not None:
                if at < len(piece):
                    if harm.how == "change":
                        piece = _changed(piece, at)
                        harm = None
                    else:
                        far.sendall(piece[:at])
                        while harm.how == "swallow" and near.recv(PIECE):
                            continue
                        if harm.how == "reset":
                            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        return
                else:
                    at -= len(piece)
            far.sendall(piece)

    def _take(self, what: T | None, request: bytes, there: object) -> T | None:
        """The fault where it is for this request, which counts as one of its times."""
        with self._lock:
            if what is None or what.times == 0 or not there or not re.match(what.what, request):
                return None
            if what.times is not None:
                what.times -= 1
            return what

    def _back(self, far: socket.socket, near: socket.socket, asked: list[bytes]) -> None:
        """What comes down: late, cut or changed where a download was asked for."""
        at = -1
        harm: Harm | None = None
        with contextlib.suppress(OSError):
            while piece := far.recv(PIECE):
                time.sleep(self.delay)
                if harm is None and self.harm is not None and self.harm.is_down:
                    harm = self._take(self.harm, asked[0], body := _body_in(piece))
                    if harm is not None and body is not None:
                        at = body[0] + harm.place(body[1])
                if harm is not None and at < len(piece):
                    if harm.how == "reset":
                        near.sendall(piece[:at])
                        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        near.close()
                        return
                    piece = _changed(piece, at)
                    harm = None
                at -= len(piece)
                near.sendall(piece)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(near, socket.SHUT_RDWR)


def _changed(piece: bytes, at: int) -> bytes:
    return piece[:at] + bytes([piece[at] ^ 0xFF]) + piece[at + 1 :]


def _body_in(piece: bytes) -> tuple[int, int] | None:
    """Where the body begins whose head is in this piece, and how long it is."""
    head, blank, _ = piece.partition(b"\r\n\r\n")
    found = LENGTH.search(head) if blank else None
    return (len(head) + 4, int(found[1])) if found and int(found[1]) else None


def _drain(near: socket.socket, piece: bytes) -> None:
    """The rest of a request, so that what is answered can be read."""
    body = _body_in(piece)
    left = body[0] + body[1] - len(piece) if body else 0
    while left > 0 and (more := near.recv(PIECE)):
        left -= len(more)


@contextmanager
def fault_proxy(target: tuple[str, int]) -> Iterator[FaultProxy]:
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
