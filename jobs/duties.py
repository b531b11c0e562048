"""The schedule of a worker: regular duties, each in its own thread, and the work queue in the main thread.

While there are no live items the worker rests: it reads the queue only after a change of the database, and duties that
concern transfers run less often.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from jobs import wake
from jobs.scheduler import Scope

log = structlog.get_logger()

POLL_SECONDS = 0.2
LEAST_POLL_SECONDS = 0.05
RESTING_POLL_SECONDS = 5.0
"""In case a notification was missed."""


class Duties:
    """Runs each duty in its own application context until `stop`. Errors are logged, and the duty runs again."""

    def __init__(self, database_url: str, scope: Scope) -> None:
        self._scope = scope
        self._threads: list[threading.Thread] = []
        self._stopped, self._changed, self._busy = threading.Event(), threading.Event(), threading.Event()
        self._busy.set()
        wake.start(database_url, self._stopped, self._changed)

    def every(
        self,
        seconds: float,
        duty: Callable[[], object],
        *,
        first: float | None = None,
        resting: float | None = None,
    ) -> None:
        """Run a duty every so many seconds, in its own thread. `resting` is the interval of a resting worker."""

        def repeat() -> None:
            is_over = self._stopped.wait(seconds if first is None else first)
            while not is_over:
                self._do(duty)
                is_over = self._pause(seconds, resting)

        self._start(repeat)

    def work(self, wanting: threading.Event, take_due: Callable[[], bool]) -> None:
        """Call `take_due` repeatedly until `stop`. It returns whether there are live items.

        While `wanting` is set it is called without delay.
        """
        while not self._stopped.wait(LEAST_POLL_SECONDS):
            if self.are_resting:
                self._changed.wait(RESTING_POLL_SECONDS)
                self._changed.clear()
            else:
                wanting.wait(POLL_SECONDS)
            if self._do(take_due) is False:
                self._busy.clear()
            else:
                self._busy.set()
        self._busy.set()  # ends the rest of every duty

    def stop(self) -> None:
        """End all waits. A signal handler may not call this: it could interrupt a wait that holds the event's lock."""
        for event in (self._stopped, self._changed, self._busy):
            event.set()

    @property
    def are_resting(self) -> bool:
        return not self._busy.is_set()

    def join(self, seconds: float) -> None:
        latest = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, latest - time.monotonic()))

    def _pause(self, seconds: float, resting: float | None) -> bool:
        """Wait for the next run; True after `stop`. Resting ends as soon as there are live items."""
        if resting is None or not self.are_resting:
            return self._stopped.wait(seconds)
        self._busy.wait(resting)
        return self._stopped.is_set()

    def _start(self, repeat: Callable[[], None]) -> None:
        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _do(self, duty: Callable[[], object]) -> object:
        try:
            with self._scope():
                return duty()
        except Exception:
            log.exception("worker.duty_failed")
            return None
