"""The web server of one process: waitress, whose loop sends files and receives bodies; threads call the application."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from blueprints.authorization import FORM_LIMIT
from commands.sockets import BACKLOG
from commands.web_channel import Channel
from services.core.bulkhead import WEB_THREADS

THREADS = WEB_THREADS
CONNECTIONS = 1000
FILES = 8192
STOP_SECONDS = 30.0
"""Requests in progress have this long to finish after a stop."""
CHECK_SECONDS = 1.0
NO_LIMIT = 1 << 62

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server(TcpWSGIServer):
    """One listening socket."""

    channel_class = Channel
    is_stopping = False

    def getsockname(self) -> Any:
        return ("unix", self.socket.getsockname()) if self.family == socket.AF_UNIX else super().getsockname()

    def fix_addr(self, addr: Any) -> Any:
        """A peer on a Unix socket has no address."""
        return addr or ("", None)

    def maintenance(self, now: float) -> None:
        for channel in list(self.active_channels.values()):
            channel.check(now)


class Web:
    """Serves an application on sockets until it is stopped, then finishes the requests in progress."""

    def __init__(
        self,
        application: Application,
        sockets: Sequence[socket.socket],
        *,
        threads: int = THREADS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._map: dict[int, Any] = {}
        self._stop_seconds = stop_seconds
        self._stops = 0
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(threads)
        adjustments = Adjustments(
            threads=threads,
            connection_limit=CONNECTIONS,
            backlog=BACKLOG,
            recv_bytes=64 * 1024,
            # What has not been wanted by the application stays in memory; what it wants may be a document.
            inbuf_overflow=2 * FORM_LIMIT,
            max_request_body_size=NO_LIMIT,
            # A large answer that was made at once goes to a file, and its thread to the next page.
            outbuf_high_watermark=NO_LIMIT,
            cleanup_interval=CHECK_SECONDS,
            ident=None,
            clear_untrusted_proxy_headers=False,
        )
        self._servers = [
            Server(
                application,
                self._map,
                _sock=each,
                dispatcher=self._dispatcher,
                adj=adjustments,
                bind_socket=False,
                sockinfo=(each.family, each.type, each.proto, each.getsockname()),
            )
            for each in sockets
        ]
        _allow_files()

    def stop(self) -> None:
        """Accept no more requests and finish those in progress; a second call cuts them off. Signal-safe."""
        self._stops += 1
        with suppress(OSError):  # it has stopped already
            for server in self._servers:
                server.pull_trigger()

    def run(self, each_check: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped. `each_check` is called at least once a second."""
        while not self._stops:
            self._pass(CHECK_SECONDS)
            each_check()
        self._take_no_more()
        deadline = time.monotonic() + self._stop_seconds
        while self._busy() and self._stops < 2 and time.monotonic() < deadline:
            self._pass(CHECK_SECONDS)
            each_check()
        for channel in self._channels():
            channel.drop()
        self._dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def _pass(self, seconds: float) -> None:
        # poll() and not select(), which knows no more than 1,024 files.
        wasyncore.loop(seconds, use_poll=True, map=self._map, count=1)

    def _take_no_more(self) -> None:
        """Accept the connections that have arrived, then stop listening."""
        for server in self._servers:
            server.is_stopping = True
            for _ in range(BACKLOG):
                before = len(self._map)
                server.handle_accept()
                if len(self._map) == before:
                    break
            wasyncore.dispatcher.close(server)
        self._pass(0)

    def _busy(self) -> bool:
        """Whether any request is in progress. Idle connections are closed."""
        now = time.time()
        for server in self._servers:
            server.maintenance(now)
        for channel in self._channels():
            if not channel.is_busy and channel.lingers_until is None:
                channel.drop()
        return bool(self._channels())

    def _channels(self) -> list[Channel]:
        return [channel for server in self._servers for channel in list(server.active_channels.values())]


def _allow_files() -> None:
    """Raise the limit of open files: each connection may send a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
