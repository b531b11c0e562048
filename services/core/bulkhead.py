"""A bulkhead: at most half of the web threads may wait for iManage, and two for any one person.

A page that calls iManage occupies its thread until iManage answers. When iManage is slow, the other threads keep
serving, and a request for which no slot is free gets an error instead of waiting.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from imanage.deadlines import within
from imanage.errors import ImanageError

WEB_THREADS = 16
MAX_SLOTS = WEB_THREADS // 2
PER_MEMBER = 2
MAX_WAITING = WEB_THREADS // 4
WAIT_SECONDS = 1.0
PAGE_SECONDS = 45.0
"""For all calls of one page together; each call also has a time-out of its own."""


class Slots:
    """Slots for calls, limited in total and for each member."""

    def __init__(self, total: int = MAX_SLOTS, each: int = PER_MEMBER, waiting: int = MAX_WAITING) -> None:
        self._total, self._each, self._max_waiting = total, each, waiting
        self._changed = threading.Condition()
        self._taken: Counter[uuid.UUID] = Counter()
        self._waiting: Counter[uuid.UUID] = Counter()

    def resize(self, threads: int) -> None:
        """Half of so many web threads may call iManage, and a quarter may wait for a slot."""
        with self._changed:
            self._total, self._max_waiting = max(1, threads // 2), max(1, threads // 4)
            self._changed.notify_all()

    def acquire(self, member_id: uuid.UUID, seconds: float | None = None) -> bool:
        """Take a slot, waiting briefly for one; False if none became free."""
        with self._changed:
            if not self._is_free(member_id) and not self._wait(
                member_id, WAIT_SECONDS if seconds is None else seconds
            ):
                return False
            self._taken[member_id] += 1
            return True

    def release(self, member_id: uuid.UUID) -> None:
        with self._changed:
            self._taken[member_id] -= 1
            self._taken += Counter()  # drops members who hold none
            self._changed.notify_all()

    def is_at_own_limit(self, member_id: uuid.UUID) -> bool:
        """Whether the member's own pages hold all the slots that one member may have."""
        with self._changed:
            return self._taken[member_id] >= self._each

    def _is_free(self, member_id: uuid.UUID) -> bool:
        return self._taken.total() < self._total and self._taken[member_id] < self._each

    def _wait(self, member_id: uuid.UUID, seconds: float) -> bool:
        if self._waiting.total() >= self._max_waiting or self._waiting[member_id] >= self._each:
            return False
        self._waiting[member_id] += 1
        end = time.monotonic() + seconds
        try:
            return self._changed.wait_for(lambda: self._is_free(member_id), end - time.monotonic())
        finally:
            self._waiting[member_id] -= 1
            self._waiting += Counter()


slots = Slots()


class BulkheadFullError(ImanageError):
    """Too many pages are waiting for iManage. No call was made."""

    code = "imanage.slow"
    retry = "later"


@contextmanager
def slot(member_id: uuid.UUID) -> Iterator[None]:
    """Make the calls that a page waits for inside this. Raises BulkheadFullError.

    Hold no database connection on entry.
    """
    if not slots.acquire(member_id):
        raise BulkheadFullError(code="imanage.slow.yours" if slots.is_at_own_limit(member_id) else None)
    try:
        with within(PAGE_SECONDS):
            yield
    finally:
        slots.release(member_id)
