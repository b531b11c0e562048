"""The concurrency limiter: how many items of one server move at a time in this worker, and which is next."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from services.execution.item_run import Task
from services.execution.queue import NO_SERVER


@dataclass
class _Waiter:
    member: uuid.UUID
    position: int
    arrival: int
    granted: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Limit:
    """The slots of one server: how many each member has, and who waits for one."""

    at_once: int = 1
    taken: Counter[uuid.UUID] = field(default_factory=Counter)
    waiting: list[_Waiter] = field(default_factory=list)


class Slots:
    """`workers` is how many workers are alive: each has its share of a server's limit.

    A member with less than half of the slots goes first, so that one member's thousands of documents do not keep
    another waiting; then first documents before second ones; then in the order of arrival. Saves pass the same rule
    twice: to announce what they send, and to send it.
    """

    def __init__(self) -> None:
        self.workers = 1
        self._lock = threading.Lock()
        self._today: dict[str, int] = {}
        self._limits: defaultdict[tuple[str, str], _Limit] = defaultdict(_Limit)
        self._arrivals = count()
        self._is_open = False

    @contextmanager
    def slot(self, task: Task, kind: str = "move") -> Iterator[None]:
        """Wait for a slot of the task's server, and give it back at the end."""
        waiter = _Waiter(task.member_id, task.position, next(self._arrivals))
        with self._lock:
            limit = self._limits[server_of(task), kind]
            limit.at_once = self._at_once(task)
            limit.waiting.append(waiter)
            self._grant(limit)
        waiter.granted.wait()
        try:
            yield
        finally:
            with self._lock:
                limit.taken[task.member_id] -= 1
                self._grant(limit)

    @contextmanager
    def announcement(self, task: Task) -> Iterator[None]:
        """The same, for announcing a save: slots of their own, as many as for moving bytes."""
        with self.slot(task, "announce"):
            yield

    def adjust(self, server: str, at_once: int) -> None:
        """A server's limit has been read again: it replaces those that tasks were claimed with."""
        with self._lock:
            self._today[server] = at_once
            for key, limit in self._limits.items():
                if key[0] == server:
                    limit.at_once = at_once
                    self._grant(limit)

    def are_short(self, server: str) -> bool:
        """Whether runs wait for slots of the server."""
        with self._lock:
            return any(limit.waiting for key, limit in self._limits.items() if key[0] == server)

    def share_of(self, task: Task) -> int:
        """This worker's share of the limit of the task's server."""
        return self.share(self._at_once(task))

    def open_all(self) -> None:
        """For the end of the process: grant every slot, so that all waiting runs see that they have to stop."""
        with self._lock:
            self._is_open = True
            for limit in self._limits.values():
                self._grant(limit)

    def share(self, at_once: int) -> int:
        """This worker's share of a server's limit."""
        return max(1, at_once // self.workers)

    def half(self, at_once: int) -> int:
        """How many of those slots one member may hold while others wait."""
        return max(1, at_once // 2 // self.workers)

    def _at_once(self, task: Task) -> int:
        return self._today.get(server_of(task), task.at_once or 1)

    def _grant(self, limit: _Limit) -> None:
        while limit.waiting and (self._is_open or limit.taken.total() < self.share(limit.at_once)):
            half = self.half(limit.at_once)
            first = min(limit.waiting, key=lambda w: (limit.taken[w.member] >= half, w.position, w.arrival))
            limit.waiting.remove(first)
            limit.taken[first.member] += 1
            first.granted.set()


def server_of(task: Task) -> str:
    return str(task.server_id or NO_SERVER)
