"""One deadline for a whole outbound call: connecting, the handshake, headers and body, however they are drawn out.

A socket's own time-out counts from byte to byte, so a server that sends one header line a second holds its caller for
ever. Here every wait of a call's socket is cut to what is left of the call. A body that is long because the document is
has no such end: it must keep a pace instead, and time that we ourselves take between two blocks does not count.
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
    """When a call must have ended; once `keep_pace` is said, when it must have brought its next share of bytes."""

    def __init__(self, seconds: float, slowest: int = 1024, span: float = 60) -> None:
        self._outer = _outer.get()
        self._span, self._share = span, max(1, round(slowest * span))
        self._is_paced = False
        self._came = 0
        self._paused_at: float | None = None
        self._end = time.monotonic() + seconds

    def end_in(self, seconds: float) -> None:
        """The rest of the call ends in so many seconds."""
        self._is_paced = False
        self._end = time.monotonic() + seconds

    def keep_pace(self) -> None:
        """From now on it may last, if each span of waiting brings its share of bytes."""
        self._is_paced, self._came, self._paused_at = True, 0, None
        self._end = time.monotonic() + self._span

    def left(self) -> float:
        """Seconds for the next wait. Raises TimeoutError where there are none."""
        now = time.monotonic()
        if self._is_paced and self._paused_at is not None:
            self._end += now - self._paused_at
            self._paused_at = None
        left = min(self._end, self._outer) - now
        if left <= 0:
            raise TimeoutError("the whole call took too long")
        return left

    def transferred(self, count: int) -> None:
        """So many bytes went over the line in the wait that has just ended."""
        if not self._is_paced:
            return
        self._came += count
        self._paused_at = time.monotonic()
        if self._came >= self._share:
            self._came, self._end = 0, self._paused_at + self._span


_outer: ContextVar[float] = ContextVar("outer", default=math.inf)
_current: ContextVar[Deadline | None] = ContextVar("current", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Every call that is begun in here has ended by then, all of them together."""
    outer = _outer.set(min(_outer.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _outer.reset(outer)


def time_left() -> float:
    """Seconds that are left of what `within` allows; endless outside of it."""
    return _outer.get() - time.monotonic()


@contextmanager
def of_call(deadline: Deadline) -> Iterator[None]:
    """The connections that are made or taken from the pool in here work under this deadline."""
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
    """A TCP socket under a deadline."""

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
