"""One deadline for a whole outbound call: connect, TLS handshake, headers and body.

A socket's own timeout restarts with every byte, so a server that sends one header line a second holds its caller for
ever. Here every wait is cut to the time left for the call. The body of a large document has no deadline but a minimum
rate; time that the caller takes between two blocks does not count.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Deadline:
    """The time by which a call must end or, under a minimum rate, by which the next bytes must have arrived."""

    def __init__(self, seconds: float, min_bytes_per_second: int = 1024, span: float = 60) -> None:
        self._outer_end = _outer_end.get()
        self._span, self._quota = span, max(1, round(min_bytes_per_second * span))
        self._checks_rate = False
        self._received = 0
        self._paused_at: float | None = None
        self._end = time.monotonic() + seconds

    def end_in(self, seconds: float) -> None:
        """Set the time for the rest of the call."""
        self._checks_rate = False
        self._end = time.monotonic() + seconds

    def require_minimum_rate(self) -> None:
        """Replace the deadline: from now on each `span` seconds of waiting must transfer a minimum number of bytes."""
        self._checks_rate, self._received, self._paused_at = True, 0, None
        self._end = time.monotonic() + self._span

    def left(self) -> float:
        """Seconds left for the next wait. Raises TimeoutError when there are none."""
        now = time.monotonic()
        if self._checks_rate and self._paused_at is not None:
            self._end += now - self._paused_at
            self._paused_at = None
        left = min(self._end, self._outer_end) - now
        if left <= 0:
            raise TimeoutError("the whole call took too long")
        return left

    def transferred(self, count: int) -> None:
        """Count bytes sent or received in the wait that has just ended."""
        if not self._checks_rate:
            return
        self._received += count
        self._paused_at = time.monotonic()
        if self._received >= self._quota:
            self._received, self._end = 0, self._paused_at + self._span


_outer_end: ContextVar[float] = ContextVar("outer", default=math.inf)
_current: ContextVar[Deadline | None] = ContextVar("current", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All calls begun in this block share one deadline, `seconds` from now."""
    outer = _outer_end.set(min(_outer_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _outer_end.reset(outer)


def time_left() -> float:
    """Seconds left of the enclosing `within`; infinite outside of it."""
    return _outer_end.get() - time.monotonic()


@contextmanager
def of_call(deadline: Deadline) -> Iterator[None]:
    """Connections opened or taken from the pool in this block use this deadline."""
    current = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(current)


def current() -> Deadline | None:
    return _current.get()


class Timed(socket.socket):
    """What both kinds of socket share: no wait outlasts the deadline of the call."""

    deadline: Deadline | None = None
    own_timeout: float | None = None
    """The timeout set by the caller; the one in force may be shorter."""

    def settimeout(self, value: float | None, /) -> None:
        self.own_timeout = value
        super().settimeout(value)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._limit_wait()
        return self._counted(super().recv_into(*args, **kwargs))

    def _limit_wait(self) -> None:
        """Cut the next wait to the seconds left for the call. Raises TimeoutError when there are none."""
        if self.deadline is None:
            return
        left, timeout = self.deadline.left(), self.own_timeout
        wait = left if timeout is None else min(left, timeout)
        if wait != self.gettimeout():
            super().settimeout(wait)

    def _counted(self, count: int) -> int:
        if self.deadline is not None:
            self.deadline.transferred(count)
        return count


class TimedSocket(Timed):
    """A TCP socket under a deadline. `most_bytes` limits what may be received from now on; None: no limit."""

    most_bytes: int | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        count = super().recv_into(*args, **kwargs)
        if self.most_bytes is not None:
            self.most_bytes -= count
            if self.most_bytes < 0:
                raise OSError("the answer is too long")
        return count

    def sendall(self, data: Any, *args: Any) -> None:
        self._limit_wait()
        super().sendall(data, *args)
        self._counted(len(data))

    def connect(self, address: Any, /) -> None:
        self._limit_wait()
        super().connect(address)


class TimedTLS(Timed, ssl.SSLSocket):
    """A TLS socket under a deadline. Its `sendall` calls `send`."""

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._limit_wait()
        return self._counted(super().send(*args, **kwargs))

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        try:
            return super().recv(*args, **kwargs)
        except ConnectionError:
            self.close()  # ssl.SSLSocket._create reads where the peer is gone already, and would leave it open
            raise
