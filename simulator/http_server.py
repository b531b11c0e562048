"""A small threaded HTTP/1.1 server that can also misbehave on demand.

Supports keep-alive and streamed request bodies, and leaves no thread or socket behind when stopped.
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

from simulator.faults import CallFaults
from simulator.http_messages import BadRequestError, Body, ClientGoneError, Head, environ_of, read_head
from simulator.http_writer import BrokenError, ResponseWriter
from simulator.responses import JSON, Answer, canned, damage, whole
from simulator.state import Entry, State

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
RESET = struct.pack("ii", 1, 0)
CONTROL = "/_simulator"


class TLSSocket(ssl.SSLSocket):
    """`ssl.SSLSocket._create` reads where the peer is gone already, and would leave the socket open."""

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        try:
            return super().recv(*args, **kwargs)
        except ConnectionError:
            self.close()
            raise


class Listener:
    """Listens, and serves each connection in its own thread."""

    def __init__(
        self, host: str, port: int, app: Wsgi, state: State, tls: ssl.SSLContext | None = None
    ) -> None:
        self._app, self._state, self._tls = app, state, tls
        if tls is not None:
            tls.sslsocket_class = TLSSocket
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
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # below TLS too, whose thread is reading
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
                HttpConnection(connection, reader, client, self.address, self._app, self._state).run()
        except BrokenError as broken:
            if broken.how == "reset":
                self._wait_until_sent(connection)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except OSError:
            pass  # the client disconnected
        finally:
            connection.close()
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def _secured(self, connection: socket.socket) -> socket.socket:
        """The connection wrapped in TLS, if configured."""
        if self._tls is None:
            return connection
        connection.settimeout(10)
        secured = self._tls.wrap_socket(connection, server_side=True)
        secured.settimeout(None)
        with self._lock:
            self._open[threading.current_thread()] = secured
        return secured

    def _wait_until_sent(self, connection: socket.socket) -> None:
        """Wait until the kernel has sent everything: a reset would discard the rest."""
        waiting = bytearray(4)
        for _ in range(200):
            fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, waiting)
            if not any(waiting) or self._state.stopping.wait(0.01):
                return


class HttpConnection:
    """One connection: handles requests one after the other until either side closes it."""

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
                    whole(400, b'{"error":{"code":"BadRequest"}}', JSON),
                    CallFaults([]),
                    None,
                    str(error) != "",
                )
                return
            if not again:
                return

    def _one(self, head: Head) -> bool:
        """Handle one request. Returns whether the connection can be reused."""
        own = head.path.startswith(CONTROL)
        token = self.state.tokens.find("access", head.token) if head.token else None
        user = token.user if token else ""
        call_faults = CallFaults([]) if own else self.state.faults.take(head.method, head.target, user)
        entry = Entry(head.method, head.path, head.query, user, faults=call_faults.kinds, client=self.client)
        if not own:
            self.state.log.append(entry)
        began = time.monotonic()
        body = Body(self.reader, head.headers, self._continue_sender(head, call_faults))
        try:
            return self._answer(head, body, call_faults, entry)
        finally:
            entry.bytes_in = body.received
            entry.seconds = time.monotonic() - began

    def _continue_sender(self, head: Head, call_faults: CallFaults) -> Callable[[], None]:
        """A callback that sends `100 Continue` before the body is first read, if the client expects it."""
        waiting = head.headers.get("expect", "").lower() == "100-continue"

        def send_continue() -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                if fault := call_faults.get("no_continue"):
                    self.state.stopping.wait(fault.seconds)
                else:
                    self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        return send_continue

    def _answer(self, head: Head, body: Body, call_faults: CallFaults, entry: Entry) -> bool:
        state, wait = self.state, self.state.stopping.wait
        if fault := call_faults.get("expire_tokens"):
            state.tokens.forget_all("access", fault.user)
        slow = call_faults.get("slow")
        if pause := (slow.seconds if slow else 0.0) + state.settings.latency:
            wait(pause)
        if fault := call_faults.get("lost_before"):
            body.skip(1 << 40)
            raise BrokenError(fault.how or "close")
        answer = canned(call_faults, state.settings)
        early = call_faults.get("reject_early")
        if answer is None:
            answer = self._run(head, body, call_faults)
        elif early:
            body.skip(early.at or 0)
        else:
            body.skip(1 << 40)
        if fault := call_faults.get("lost_after"):
            close = getattr(answer.blocks, "close", None)
            if close:
                close()
            raise BrokenError(fault.how or "close")
        answer = damage(answer, call_faults)
        again = head.keep_alive and (body.done or body.skip(1 << 20)) and not answer.close and not early
        entry.bytes_in = body.received
        again = self._send(answer, call_faults, entry, not again, head.method == "HEAD") and again
        if not again and not body.done:
            self._linger()
        return again and "close_idle" not in call_faults

    def _run(self, head: Head, body: Body, call_faults: CallFaults) -> Answer:
        environ = environ_of(head, body, self.address, self.client, sys.stderr)
        environ["simulator.faults"] = call_faults
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
        """Let the client read the response before closing: unread request data would reset the connection."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(2.0)
            end = time.monotonic() + 2.0
            while time.monotonic() < end and self.connection.recv(1 << 16):
                continue

    def _send(
        self,
        answer: Answer,
        call_faults: CallFaults,
        entry: Entry | None,
        closing: bool,
        head_only: bool = False,
    ) -> bool:
        """Send the response. Returns whether the connection can be reused."""
        bodiless = head_only or answer.status in (204, 304)
        if answer.length is None and not bodiless:
            answer.chunked = not answer.until_close
            closing = closing or answer.until_close
        lines = [f"HTTP/1.1 {answer.status} {answer.phrase}"]
        fixed = [("Date", formatdate(usegmt=True)), ("Server", "Practice-iManage")]
        fixed.append(("Connection", "close" if closing else "keep-alive"))
        if answer.chunked:
            fixed.append(("Transfer-Encoding", "chunked"))
        lines += [f"{name}: {value}" for name, value in [*answer.headers, *fixed, *answer.filler]]
        top = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if entry:
            entry.status = answer.status
        out = ResponseWriter(self.connection, self.state, call_faults, entry, answer)
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
