"""How many web threads may wait for iManage: half of them at most, and two for one person.

A page that asks iManage keeps its thread until the answer is there. Where iManage is slow, the other half goes on
serving everybody, and whoever comes too many is told so instead of waiting in the dark.
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
AT_ONCE = WEB_THREADS // 2
EACH = 2
MOST_WAITING = WEB_THREADS // 4
WAIT_SECONDS = 1.0
PAGE_SECONDS = 45.0
"""All calls of one page together; each of them has its own end besides."""


class Slots:
    """Places for calls, counted in all and for each person."""

    def __init__(self, at_once: int = AT_ONCE, each: int = EACH, waiting: int = MOST_WAITING) -> None:
        self._at_once, self._each, self._most_waiting = at_once, each, waiting
        self._changed = threading.Condition()
        self._taken: Counter[uuid.UUID] = Counter()
        self._waiting: Counter[uuid.UUID] = Counter()

    def take(self, member_id: uuid.UUID, seconds: float | None = None) -> bool:
        """Whether a place was to be had, after a short wait in which an iManage that is not slow has answered."""
        with self._changed:
            if not self._is_free(member_id) and not self._wait(
                member_id, WAIT_SECONDS if seconds is None else seconds
            ):
                return False
            self._taken[member_id] += 1
            return True

    def give_back(self, member_id: uuid.UUID) -> None:
        with self._changed:
            self._taken[member_id] -= 1
            self._taken += Counter()  # those who have none are forgotten
            self._changed.notify_all()

    def has_too_many(self, member_id: uuid.UUID) -> bool:
        """Whether it is the person's own pages that wait."""
        with self._changed:
            return self._taken[member_id] >= self._each

    def _is_free(self, member_id: uuid.UUID) -> bool:
        return self._taken.total() < self._at_once and self._taken[member_id] < self._each

    def _wait(self, member_id: uuid.UUID, seconds: float) -> bool:
        if self._waiting.total() >= self._most_waiting or self._waiting[member_id] >= self._each:
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
    """Too many pages wait for iManage already. Nothing was asked."""

    code = "imanage.slow"
    sentence = "iManage is slow: other pages are still waiting for its answer."
    retry = "later"


@contextmanager
def slot(member_id: uuid.UUID) -> Iterator[None]:
    """Calls that a page waits for are made in here.

    Raises BulkheadFullError. Hold no database connection when you come.
    """
    if not slots.take(member_id):
        raise BulkheadFullError(code="imanage.slow.yours" if slots.has_too_many(member_id) else None)
    try:
        with within(PAGE_SECONDS):
            yield
    finally:
        slots.give_back(member_id)
