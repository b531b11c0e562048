"""How many items of one server this worker moves at once: its share of what the server's admin allowed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """`workers` is how many workers are alive; together they keep to the server's limit."""

    def __init__(self) -> None:
        self.workers = 1
        self._free = threading.Condition()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def held(self, lane: str, at_once: int) -> Iterator[None]:
        """Wait for a place in a lane, and give it back at the end."""
        with self._free:
            self._free.wait_for(lambda: self._taken[lane] < max(1, at_once // self.workers))
            self._taken[lane] += 1
        try:
            yield
        finally:
            with self._free:
                self._taken[lane] -= 1
                self._free.notify_all()


places = Places()
