"""How many items of one server this worker moves at once, and whose: its share of what the server's admin allowed."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from services.execution.queue import half, share


@dataclass(frozen=True)
class Caller:
    """Who wants a place: of which member, and how far down in its transfer."""

    lane: str
    at_once: int
    member: uuid.UUID
    position: int


@dataclass
class _Turn:
    caller: Caller
    order: int
    granted: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Lane:
    waiting: list[_Turn] = field(default_factory=list)
    taken: Counter[uuid.UUID] = field(default_factory=Counter)


class Places:
    """`workers` is how many workers are alive; together they keep to the server's limit.

    Whoever has less than half of the places goes first, so that one member's thousands do not keep another waiting;
    then first documents before second ones.
    """

    def __init__(self) -> None:
        self.workers = 1
        self._lock = threading.Lock()
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._order = count()
        self._is_open = False

    @contextmanager
    def held(self, caller: Caller) -> Iterator[None]:
        """Wait for a place in a lane, and give it back at the end."""
        turn = _Turn(caller, next(self._order))
        with self._lock:
            lane = self._lanes[caller.lane]
            lane.waiting.append(turn)
            self._grant(lane)
        turn.granted.wait()
        try:
            yield
        finally:
            with self._lock:
                lane.taken[caller.member] -= 1
                self._grant(lane)

    def open_all(self) -> None:
        """The process ends: nobody waits any more; whoever gets in sees it and goes."""
        with self._lock:
            self._is_open = True
            for lane in self._lanes.values():
                self._grant(lane)

    def _grant(self, lane: _Lane) -> None:
        while lane.waiting:
            if (
                lane.taken.total() >= share(lane.waiting[-1].caller.at_once, self.workers)
                and not self._is_open
            ):
                return
            first = min(lane.waiting, key=lambda turn: self._rank(lane, turn))
            lane.waiting.remove(first)
            lane.taken[first.caller.member] += 1
            first.granted.set()

    def _rank(self, lane: _Lane, turn: _Turn) -> tuple[bool, int, int]:
        caller = turn.caller
        has_half = lane.taken[caller.member] >= half(caller.at_once, self.workers)
        return has_half, caller.position, turn.order


places = Places()
