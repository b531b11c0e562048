"""When a worker does what: regular duties, each in a thread of its own, and the work queue in the main thread.

While no item is to be carried out the worker rests: it reads the queue after a change of the database only, and duties
that concern transfers come less often.
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
"""For what no notification told of."""
STOP_SECONDS = 1.0
"""A resting worker notices so soon that it has to stop."""


class Duties:
    """Runs duties in an application context of their own until `stop` is set. Errors are logged: a fault passes."""

    def __init__(self, database_url: str, scope: Scope, stop: threading.Event) -> None:
        self._scope = scope
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._busy = threading.Event()
        self._busy.set()
        self._changed, self._written = threading.Event(), threading.Event()
        wake.start(database_url, stop, (self._changed, self._written))

    def every(
        self,
        seconds: float,
        duty: Callable[[], object],
        *,
        first: float | None = None,
        resting: float | None = None,
    ) -> None:
        """In a thread of its own, so that a long duty does not delay the others. `resting`: seconds while at rest."""

        def repeat() -> None:
            is_over = self._stop.wait(seconds if first is None else first)
            while not is_over:
                self._do(duty)
                is_over = self._pause(seconds, resting)

        self._start(repeat)

    def after_changes(self, seconds: float, duty: Callable[[], object], *, resting: float) -> None:
        """When somebody has written to the database, and never more often than this."""

        def repeat() -> None:
            while not self._pause(seconds, resting):
                if self._written.wait(STOP_SECONDS):
                    self._written.clear()
                    self._do(duty)

        self._start(repeat)

    def work(self, wanting: threading.Event, take_due: Callable[[], bool]) -> None:
        """Call `take_due` again and again, until `stop` is set. It returns whether there is anything to be done.

        `wanting` is set while it should be called soon.
        """
        while not self._stop.wait(LEAST_POLL_SECONDS):
            if self.are_resting:
                self._wait_for_change()
            else:
                wanting.wait(POLL_SECONDS)
            if self._do(take_due) is False:
                self._busy.clear()
            else:
                self._busy.set()
        self._busy.set()  # ends the rest of every duty

    @property
    def are_resting(self) -> bool:
        return not self._busy.is_set()

    def join(self, seconds: float) -> None:
        latest = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, latest - time.monotonic()))

    def _pause(self, seconds: float, resting: float | None) -> bool:
        """Whether it is over. A rest ends when there is something to be done."""
        if resting is None or not self.are_resting:
            return self._stop.wait(seconds)
        self._busy.wait(resting)
        return self._stop.is_set()

    def _wait_for_change(self) -> None:
        latest = time.monotonic() + RESTING_POLL_SECONDS
        while not self._stop.is_set() and time.monotonic() < latest:
            if self._changed.wait(STOP_SECONDS):
                break
        self._changed.clear()

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
