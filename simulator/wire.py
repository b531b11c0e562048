"""The front door: a small threaded HTTP/1.1 server that can also do what a good server never would.

It keeps connections alive, hands request bodies on as they come, and leaves no thread or socket behind when stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import ssl
import struct
import sys
import termios
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from email.utils import formatdate
from io import BufferedReader
from typing import Any

from simulator.answers import JSON, Answer, canned, damage, whole
from simulator.faults import Struck
from simulator.messages import BadRequestError, Body, ClientGoneError, Head, environ_of, read_head
from simulator.outlet import BrokenError, Outlet
from simulator.state import Entry, State

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
RESET = struct.pack("ii", 1, 0)
CONTROL = "/_simulator"


class Door:
    """Listens, and serves each connection in a thread of its own."""

    def __init__(
        self, host: str, port: int, app: Wsgi, state: State, tls: ssl.SSLContext | None = None
    ) -> None:
        self._app, self._state, self._tls = app, state, tls
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=256)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._accept, name="practice-imanage", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._state.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        with self._lock:
            still = dict(self._open)
        for connection in still.values():
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    connection, socket.SHUT_RDWR
                )  # also below TLS, whose thread is reading
        for thread in still:
            thread.join(5)

    def _accept(self) -> None:
        while not self._state.stopping.is_set():
            try:
                connection, (client, *_) = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection, client), daemon=True)
            with self._lock:
                self._open[thread] = connection
            thread.start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = self._secured(connection)
            with connection.makefile("rb") as reader:
                Talk(connection, reader, client, self.address, self._app, self._state).run()
        except BrokenError as broken:
            if broken.how == "reset":
                self._let_arrive(connection)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except OSError:
            pass  # the other side went away, which is its right
        finally:
            connection.close()
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def _secured(self, connection: socket.socket) -> socket.socket:
        """The connection behind TLS, where this server speaks it."""
        if self._tls is None:
            return connection
        connection.settimeout(10)
        secured = self._tls.wrap_socket(connection, server_side=True)
        secured.settimeout(None)
        with self._lock:
            self._open[threading.current_thread()] = secured
        return secured

    def _let_arrive(self, connection: socket.socket) -> None:
        """A reset throws away what is still on its way: wait until the other side's system has it all."""
        waiting = bytearray(4)
        for _ in range(200):
            fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, waiting)
            if not any(waiting) or self._state.stopping.wait(0.01):
                return


class Talk:
    """One connection: requests one after the other, until either side has had enough."""

    def __init__(
        self,
        connection: socket.socket,
        reader: BufferedReader,
        client: str,
        address: tuple[str, int],
        app: Wsgi,
        state: State,
    ) -> None:
        self.connection, self.reader, self.client = connection, reader, client
        self.address, self.app, self.state = address, app, state

    def run(self) -> None:
        while not self.state.stopping.is_set():
            try:
                head = read_head(self.reader)
                if head is None:
                    return
                again = self._one(head)
            except BadRequestError as error:
                self._send(
                    whole(400, b'{"error":{"code":"BadRequest"}}', JSON), Struck([]), None, str(error) != ""
                )
                return
            if not again:
                return

    def _one(self, head: Head) -> bool:
        """Answer one request. True when the connection can be used again."""
        own = head.path.startswith(CONTROL)
        token = self.state.tokens.look("access", head.token) if head.token else None
        user = token.user if token else ""
        struck = Struck([]) if own else self.state.faults.take(head.method, head.target, user)
        entry = Entry(head.method, head.path, head.query, user, faults=struck.kinds)
        if not own:
            self.state.log.append(entry)
        began = time.monotonic()
        body = Body(self.reader, head.headers, self._asker(head, struck))
        try:
            return self._answer(head, body, struck, entry)
        finally:
            entry.bytes_in = body.received
            entry.seconds = time.monotonic() - began

    def _asker(self, head: Head, struck: Struck) -> Callable[[], None]:
        """What says `100 Continue` before the first byte of a body is read, where that is asked for."""
        waiting = head.headers.get("expect", "").lower() == "100-continue"

        def ask() -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                if fault := struck.get("no_continue"):
                    self.state.stopping.wait(fault.seconds)
                else:
                    self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        return ask

    def _answer(self, head: Head, body: Body, struck: Struck, entry: Entry) -> bool:
        state, wait = self.state, self.state.stopping.wait
        if fault := struck.get("expire_tokens"):
            state.tokens.forget_all("access", fault.user)
        slow = struck.get("slow")
        if pause := (slow.seconds if slow else 0.0) + state.settings.latency:
            wait(pause)
        if fault := struck.get("lost_before"):
            body.skip(1 << 40)
            raise BrokenError(fault.how or "close")
        answer = canned(struck, state.settings)
        early = struck.get("reject_early")
        if answer is None:
            answer = self._run(head, body, struck)
        elif early:
            body.skip(early.at or 0)
        else:
            body.skip(1 << 40)
        if fault := struck.get("lost_after"):
            close = getattr(answer.blocks, "close", None)
            if close:
                close()
            raise BrokenError(fault.how or "close")
        answer = damage(answer, struck)
        again = head.keep_alive and (body.done or body.skip(1 << 20)) and not answer.close and not early
        entry.bytes_in = body.received
        again = self._send(answer, struck, entry, not again, head.method == "HEAD") and again
        if not again and not body.done:
            self._linger()
        return again and "close_idle" not in struck

    def _run(self, head: Head, body: Body, struck: Struck) -> Answer:
        environ = environ_of(head, body, self.address, self.client, sys.stderr)
        environ["simulator.faults"] = struck
        if isinstance(self.connection, ssl.SSLSocket):
            environ["wsgi.url_scheme"] = "https"
        heard: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _info: object = None) -> None:
            heard[:] = [int(status.split(maxsplit=1)[0]), headers]

        try:
            blocks = self.app(environ, start_response)
        except ClientGoneError:
            raise
        except Exception:
            traceback.print_exc()
            return whole(
                500, b'{"error":{"code":"NRC_INTERNAL","code_message":"Practice server fault"}}', JSON
            )
        return Answer(heard[0], list(heard[1]), blocks)

    def _linger(self) -> None:
        """Let the other side read the answer before the unread rest of its request resets the connection."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(2.0)
            end = time.monotonic() + 2.0
            while time.monotonic() < end and self.connection.recv(1 << 16):
                continue

    def _send(
        self, answer: Answer, struck: Struck, entry: Entry | None, closing: bool, head_only: bool = False
    ) -> bool:
        """Send it all. False when the connection cannot be used again."""
        bodiless = head_only or answer.status in (204, 304)
        if answer.length is None and not bodiless:
            answer.chunked = not answer.until_close
            closing = closing or answer.until_close
        lines = [f"HTTP/1.1 {answer.status} {answer.phrase}"]
        standing = [("Date", formatdate(usegmt=True)), ("Server", "Practice-iManage")]
        standing.append(("Connection", "close" if closing else "keep-alive"))
        if answer.chunked:
            standing.append(("Transfer-Encoding", "chunked"))
        lines += [f"{name}: {value}" for name, value in [*answer.headers, *standing, *answer.filler]]
        top = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if entry:
            entry.status = answer.status
        out = Outlet(self.connection, self.state, struck, entry, answer)
        try:
            out.head(top)
            if not bodiless:
                for block in answer.blocks:
                    out.block(block)
                out.end()
            out.flush()
        finally:
            close = getattr(answer.blocks, "close", None)
            if close:
                close()
        return not closing
