"""What became of the machine's clock while this process ran: it may be set forward or back in the middle of work.

Only the steady clock knows how much time has passed; rows carry times of the other one, for they outlast a process.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

from models import utcnow

SET = timedelta(seconds=1)
"""A clock that gains or loses more than this between two looks was set."""
KEPT = 20


class Clock:
    """Compares the two clocks whenever it is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = _began()
        self._forward: list[tuple[datetime, timedelta]] = []
        self._went_back = True

    def by_now(self, moment: datetime) -> datetime:
        """A time on record, by the clock as it goes now. No later than now, and never further back than it truly is."""
        with self._lock:
            self._look()
            since = (jump for before, jump in self._forward if moment <= before)
            return min(utcnow(), moment + sum(since, timedelta(0)))

    def went_back(self) -> bool:
        """Whether it was set back since this was last asked; true the first time, for who knows what was before."""
        with self._lock:
            self._look()
            found, self._went_back = self._went_back, False
            return found

    def _look(self) -> None:
        jump = _began() - self._began
        if abs(jump) < SET:
            return
        self._began += jump
        if jump > timedelta(0):
            # Whatever is on record from before the jump is no later than the old clock would say now.
            self._forward = [*self._forward, (utcnow() - jump, jump)][-KEPT:]
        else:
            self._went_back = True


def _began() -> datetime:
    """When the steady clock began to run, by the machine's clock."""
    return utcnow() - timedelta(seconds=time.monotonic())


clock = Clock()
