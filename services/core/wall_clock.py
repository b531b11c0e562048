"""Detects when the machine's clock is set forward or back while this process runs.

The monotonic clock measures elapsed time; rows carry wall-clock times, since they outlast a process.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

from models import utcnow

TOLERANCE = timedelta(seconds=1)
"""A larger gain or loss between two readings means that the clock was set."""
MAX_JUMPS = 20


class Clock:
    """Compares the two clocks at every call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._epoch = _epoch()
        self._forward: list[tuple[datetime, timedelta]] = []
        self._was_set_back = True

    def adjusted(self, moment: datetime) -> datetime:
        """A stored time by the clock as it is set now: never in the future, never earlier than it really was."""
        with self._lock:
            self._check()
            since = (jump for before, jump in self._forward if moment <= before)
            return min(utcnow(), moment + sum(since, timedelta(0)))

    def was_set_back(self) -> bool:
        """Whether it was set back since the last call; true on the first call, as nothing is known of earlier times."""
        with self._lock:
            self._check()
            found, self._was_set_back = self._was_set_back, False
            return found

    def _check(self) -> None:
        jump = _epoch() - self._epoch
        if abs(jump) < TOLERANCE:
            return
        self._epoch += jump
        if jump > timedelta(0):
            # Times stored before the jump are no later than the old clock would read now.
            self._forward = [*self._forward, (utcnow() - jump, jump)][-MAX_JUMPS:]
        else:
            self._was_set_back = True


def _epoch() -> datetime:
    """The wall-clock time at which the monotonic clock read zero."""
    return utcnow() - timedelta(seconds=time.monotonic())


clock = Clock()
