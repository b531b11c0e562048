"""The web server of one process: waitress, which sends files and takes bodies in its loop and calls in its threads."""

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
from services.operations.database import WEB_THREADS

THREADS = WEB_THREADS
CONNECTIONS = 1000
FILES = 8192
STOP_SECONDS = 30.0
"""What has been begun when the server is told to stop has so long to come to its end."""
LOOK_EVERY = 1.0
NO_LIMIT = 1 << 62

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server(TcpWSGIServer):
    """One listening socket."""

    channel_class = Channel
    is_stopping = False

    def getsockname(self) -> Any:
        return ("unix", self.socket.getsockname()) if self.family == socket.AF_UNIX else super().getsockname()

    def fix_addr(self, addr: Any) -> Any:
        """A peer at a Unix socket has no address of its own."""
        return addr or ("", None)

    def maintenance(self, now: float) -> None:
        for channel in list(self.active_channels.values()):
            channel.look(now)


class Web:
    """Serves an application on sockets until it is told to stop, and then ends what it has begun."""

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
        self._asked = 0
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
            cleanup_interval=LOOK_EVERY,
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
        """Take no more calls and end what is under way; asked a second time, cut it. Fit for a signal handler."""
        self._asked += 1
        with suppress(OSError):  # it has stopped already
            for server in self._servers:
                server.pull_trigger()

    def run(self, each_look: Callable[[], None] = lambda: None) -> None:
        """Serve until it was stopped. `each_look` is called at least once a second."""
        while not self._asked:
            self._pass(LOOK_EVERY)
            each_look()
        self._take_no_more()
        deadline = time.monotonic() + self._stop_seconds
        while self._busy() and self._asked < 2 and time.monotonic() < deadline:
            self._pass(LOOK_EVERY)
            each_look()
        for channel in self._channels():
            channel.let_go()
        self._dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def _pass(self, seconds: float) -> None:
        # poll() and not select(), which knows no more than 1,024 files.
        wasyncore.loop(seconds, use_poll=True, map=self._map, count=1)

    def _take_no_more(self) -> None:
        """What has reached this machine is taken in; then nobody listens."""
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
        """Whether anything is under way. Connections on which nothing is are closed."""
        now = time.time()
        for server in self._servers:
            server.maintenance(now)
        for channel in self._channels():
            if not channel.is_busy and channel.lingers_until is None:
                channel.let_go()
        return bool(self._channels())

    def _channels(self) -> list[Channel]:
        return [channel for server in self._servers for channel in list(server.active_channels.values())]


def _allow_files() -> None:
    """Every connection may have a file of its own beside it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
