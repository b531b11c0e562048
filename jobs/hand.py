"""What a worker has in hand, and what it takes to it: enough that no place stays empty, and no more than its share."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from jobs.places import places
from services.execution.queue import Due, half, share

MOST_IN_BATCH = 64
"""A load costs a workflow and two turns to write: what is taken at once is one, unless it is a great deal."""
STOCK = 4
"""In hand at most so many times what moves at once: what follows must be there when a place becomes free."""
InHand = Mapping[str, Counter[uuid.UUID]]


class Hand:
    """How many items of each server and member the threads of this process have. `wanting`: some lane has few left."""

    def __init__(self) -> None:
        self.wanting = threading.Event()
        self._lock = threading.Lock()
        self._counts: defaultdict[str, Counter[uuid.UUID]] = defaultdict(Counter)
        self._enough: dict[str, int] = {}
        self._few: set[str] = set()

    def take(self, lane: str, member: uuid.UUID, at_once: int) -> None:
        with self._lock:
            self._counts[lane][member] += 1
            self._enough[lane] = 2 * share(at_once, places.workers)
            if self._counts[lane].total() >= self._enough[lane]:
                self._few.discard(lane)
                if not self._few:
                    self.wanting.clear()

    def give_back(self, lane: str, member: uuid.UUID) -> None:
        with self._lock:
            self._counts[lane][member] -= 1
            if self._counts[lane].total() < self._enough[lane]:
                self._few.add(lane)
                self.wanting.set()

    def look(self) -> None:
        """Somebody is about to look what is due, for all that have few left."""
        with self._lock:
            self._few.clear()
            self.wanting.clear()

    def counts(self) -> dict[str, Counter[uuid.UUID]]:
        with self._lock:
            return {lane: Counter(members) for lane, members in self._counts.items()}


def choose(due: Sequence[Due], in_hand: InHand, workers: int) -> list[list[Due]]:
    """The loads to take of what is due, in its order, each of one server.

    Places that are free are filled; a member who has less than half of them in hand is let in besides. What
    follows is taken only of what no worker has a place for, and of each member's: few large documents spread over all
    workers, and so do those of a colleague. A worker that is alone takes what there is.
    """
    lanes: defaultdict[str, list[Due]] = defaultdict(list)
    for item in due:
        lanes[item.lane].append(item)
    loads = []
    for lane, items in lanes.items():
        chosen = list(_chosen(items, Counter(in_hand.get(lane, Counter())), workers))
        loads += [chosen[at : at + MOST_IN_BATCH] for at in range(0, len(chosen), MOST_IN_BATCH)]
    return loads


def _chosen(items: Sequence[Due], members: Counter[uuid.UUID], workers: int) -> Iterable[Due]:
    at_once = items[0].at_once
    places = share(at_once, workers)
    due = Counter(item.member for item in items)
    theirs = at_once // len(due.keys() | +members) if workers > 1 else 0
    following = Counter({member: max(0, count - theirs) // workers for member, count in due.items()})
    for item in items:
        total, member = members.total(), item.member
        if total >= places and members[member] >= half(at_once, workers):
            if following[member] <= 0 or total >= STOCK * places:
                continue
            following[member] -= 1
        members[member] += 1
        yield item


hand = Hand()
