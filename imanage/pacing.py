"""How fast one server is asked: after it says "too many", every call of this process waits until its reset."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .errors import StoppedError, ThrottledError

_LOOK_SECONDS = 0.25


class Pacer:
    """Shared by all threads that talk to one server.

    A wait longer than `cap_seconds` is not waited for: Throttled says how long it is, so that a page can tell and a
    job can come back.
    """

    def __init__(self, cap_seconds: float = 30) -> None:
        self.cap_seconds = cap_seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._stopping = threading.Event()

    def throttled(self, seconds: float) -> None:
        """The server asked to be left alone for so long."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + max(0.0, seconds))

    def remaining(self) -> float:
        """Seconds until the server may be asked again; 0 when it may be asked now."""
        with self._lock:
            return max(0.0, self._until - time.monotonic())

    def wait(self, should_stop: Callable[[], bool] | None = None) -> None:
        """Return when the server may be asked, or raise ThrottledError or StoppedError."""
        while seconds := self.remaining():
            if seconds > self.cap_seconds:
                raise ThrottledError(wait_seconds=seconds)
            self.pause(seconds, should_stop)

    def pause(self, seconds: float, should_stop: Callable[[], bool] | None = None) -> None:
        """Sleep, but wake for a stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping.wait(min(left, _LOOK_SECONDS)) or (should_stop is not None and should_stop()):
                raise StoppedError

    def stop(self) -> None:
        """Wake everyone who waits: the process is going down."""
        self._stopping.set()
