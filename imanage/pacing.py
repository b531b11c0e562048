"""Client-side rate limiting: after a 429, every call of this process to the server waits until its limit resets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .errors import StoppedError, ThrottledError

_POLL_SECONDS = 0.25


class Pacer:
    """Shared by all threads that call one server.

    A wait longer than `cap_seconds` raises ThrottledError with the wait instead, so that a page can show it and a job
    can be rescheduled.
    """

    def __init__(self, cap_seconds: float = 30) -> None:
        self.cap_seconds = cap_seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._stopping = threading.Event()

    def throttled(self, seconds: float) -> None:
        """Hold back all calls for so many seconds."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + max(0.0, seconds))

    def remaining(self) -> float:
        """Seconds until the next call is allowed; 0 if it is allowed now."""
        with self._lock:
            return max(0.0, self._until - time.monotonic())

    def wait(self, should_stop: Callable[[], bool] | None = None) -> None:
        """Return when the next call is allowed, or raise ThrottledError or StoppedError."""
        while seconds := self.remaining():
            if seconds > self.cap_seconds:
                raise ThrottledError(wait_seconds=seconds)
            self.pause(seconds, should_stop)

    def pause(self, seconds: float, should_stop: Callable[[], bool] | None = None) -> None:
        """Sleep. Raises StoppedError when stopped meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping.wait(min(left, _POLL_SECONDS)) or (should_stop is not None and should_stop()):
                raise StoppedError

    def stop(self) -> None:
        """Wake all waiting threads: the process is shutting down."""
        self._stopping.set()
