"""Group commit: threads that write at the same moment share one commit.

The first thread writes for all that are waiting, then hands over to the next. If the shared commit fails, each entry
is written by itself, so that a bad entry fails alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.core.writer_process import run_in_writer

Entry = TypeVar("Entry")
MAX_BATCH = 6
"""Entries in one commit: more would block other writers for too long."""


@dataclass
class _Waiting(Generic[Entry]):
    """An entry that is not written yet. `woken` is set when it is written or when its thread has to write for all."""

    entry: Entry
    woken: threading.Event = field(default_factory=threading.Event)
    is_written: bool = False
    error: Exception | None = field(default_factory=lambda: RuntimeError("It was not written."))


class GroupCommit(Generic[Entry]):
    """`write` commits several entries at once and returns the error of each, or None.

    It is called through services/core/writer_process.py, so it is a module-level function and entries are picklable.

    The writing thread waits up to `linger` seconds for more entries, while fewer than `expected()` are waiting.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Entry]], Sequence[Exception | None]],
        *,
        linger: float = 0.0,
        expected: Callable[[], int] = lambda: 0,
    ) -> None:
        self._write = write
        self._linger = linger
        self._expected = expected
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[Entry]] = []
        self._is_writing = False

    def __call__(self, entry: Entry) -> None:
        """Return when the entry is committed. Raises its error."""
        mine = _Waiting(entry)
        with self._lock:
            self._waiting.append(mine)
            writes, self._is_writing = not self._is_writing, True
        if not writes:
            mine.woken.wait()
        if not mine.is_written:
            self._write_all()
        if mine.error is not None:
            raise mine.error

    def _write_all(self) -> None:
        self._wait_for_others()
        with self._lock:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        try:
            self._commit(batch)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_writing = following is not None
            for each in batch:
                each.is_written = True
                each.woken.set()
            if following is not None:
                following.woken.set()

    def _wait_for_others(self) -> None:
        until = time.monotonic() + self._linger
        while (left := until - time.monotonic()) > 0:
            if len(self._waiting) >= min(MAX_BATCH, self._expected()):
                return
            time.sleep(min(left, self._linger / 4))

    def _commit(self, batch: Sequence[_Waiting[Entry]]) -> None:
        try:
            errors = run_in_writer(self._write, [each.entry for each in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for each in batch:
                    self._commit([each])
            return
        for each, error_of_its_own in zip(batch, errors, strict=True):
            each.error = error_of_its_own
