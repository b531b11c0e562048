"""A line between Counterpart and the practice iManage that can be broken in the ways that lines break.

It passes bytes on until it is told otherwise: refuse, swallow, cut what goes up, change a byte of it, speak TLS.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PIECE = 1 << 16
RESET = struct.pack("ii", 1, 0)
LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")


@dataclass
class Harm:
    """What is done to the next uploads: cut at a fraction of the body (or some bytes before its end), or changed."""

    fraction: float = 0.5
    before_end: int = 0
    how: str = "reset"
    times: int | None = None

    def place(self, length: int) -> int:
        return max(1, length - self.before_end if self.before_end else int(length * self.fraction))


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
        self.harm, self.is_silent = None, False
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
            back = threading.Thread(target=self._back, args=(far, near), daemon=True)
            back.start()
            self._up(near, far)
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

    def _up(self, near: socket.socket, far: socket.socket) -> None:
        """What the client says, request by request as far as harm needs to know it."""
        at = -1
        harm: Harm | None = None
        while piece := near.recv(PIECE):
            if self.is_silent:
                continue
            if harm is None and self.harm is not None and (upload := _upload_in(piece)):
                harm = self._take()
                if harm is not None:
                    start, length = upload
                    at = start + harm.place(length)
            if harm is not None:
                if at < len(piece):
                    if harm.how == "change":
                        piece = piece[:at] + bytes([piece[at] ^ 0xFF]) + piece[at + 1 :]
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

    def _take(self) -> Harm | None:
        with self._lock:
            harm = self.harm
            if harm is None or harm.times == 0:
                return None
            if harm.times is not None:
                harm.times -= 1
            return harm

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := far.recv(PIECE):
                near.sendall(piece)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(near, socket.SHUT_RDWR)


def _upload_in(piece: bytes) -> tuple[int, int] | None:
    """Where the body of an upload begins that this piece opens, and how long it is."""
    head, blank, _ = piece.partition(b"\r\n\r\n")
    if not blank or b"multipart/form-data" not in head or not head.startswith((b"POST", b"PUT")):
        return None
    found = LENGTH.search(head)
    return (len(head) + 4, int(found[1])) if found else None


@contextmanager
def fault_proxy(target: tuple[str, int]) -> Iterator[FaultProxy]:
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
