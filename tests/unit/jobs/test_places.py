"""A worker's share of a server's places, and a member's share of them."""

from __future__ import annotations

import threading
import uuid
from collections import Counter

from jobs.places import Caller, Places

ANNA, BRAM = uuid.uuid4(), uuid.uuid4()


def caller(lane: str = "london", at_once: int = 4, member: uuid.UUID = ANNA, position: int = 1) -> Caller:
    return Caller(lane, at_once, member, position)


def most_at_once(places: Places, lane: str, at_once: int, callers: int) -> int:
    """How many of `callers` threads were ever inside together."""
    lock, inside, most = threading.Lock(), 0, 0
    full = threading.Event()

    def enter() -> None:
        nonlocal inside, most
        with places.held(caller(lane, at_once)):
            with lock:
                inside += 1
                most = max(most, inside)
            full.wait(0.02)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return most


class Crowd:
    """Threads that hold places until they are told to go, in the order in which they got in."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._changed = threading.Condition()
        self._asked = 0
        self._leave: Counter[Caller] = Counter()
        self.inside: list[Caller] = []

    def come(self, *callers: Caller) -> None:
        """One after the other; each is inside or waits when this returns."""
        for each in callers:
            threading.Thread(target=self._hold, args=(each,), daemon=True).start()
            self._asked += 1
            lane = self._places._lanes[each.lane]
            for _ in range(500):
                if len(lane.waiting) + len(self.inside) == self._asked:
                    break
                threading.Event().wait(0.01)
            else:
                raise AssertionError("somebody did not come")

    def leave(self, member: uuid.UUID, then: int) -> None:
        """One of this member's goes; `then` is how many are inside when the next has come."""
        with self._changed:
            gone = next(each for each in self.inside if each.member == member)
            self.inside.remove(gone)
            self._leave[gone] += 1
            self._asked -= 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: len(self.inside) == then, 5)

    def members(self) -> Counter[uuid.UUID]:
        return Counter(each.member for each in self.inside)

    def _hold(self, mine: Caller) -> None:
        with self._places.held(mine), self._changed:
            self.inside.append(mine)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._leave[mine] > 0)
            self._leave[mine] -= 1


def test_no_more_than_the_server_allows() -> None:
    assert most_at_once(Places(), "london", 3, 12) == 3


def test_workers_share_what_the_server_allows() -> None:
    places = Places()
    places.workers = 2
    assert most_at_once(places, "london", 6, 12) == 3


def test_a_worker_always_has_a_place() -> None:
    places = Places()
    places.workers = 9
    assert most_at_once(places, "london", 4, 4) == 1


def test_one_server_keeps_another_from_nothing() -> None:
    places = Places()
    with places.held(caller("london", 1)), places.held(caller("paris", 1)):
        assert most_at_once(places, "oslo", 2, 4) == 2


def test_a_member_alone_has_all_places_and_half_as_soon_as_another_waits() -> None:
    crowd = Crowd(Places())
    crowd.come(*(caller(position=n) for n in range(1, 11)))
    assert crowd.members() == {ANNA: 4}
    crowd.come(*(caller(member=BRAM, position=n) for n in range(90, 94)))
    crowd.leave(ANNA, then=4)
    crowd.leave(ANNA, then=4)
    assert crowd.members() == {ANNA: 2, BRAM: 2}, "though hers come sooner in their transfer"
    crowd.leave(ANNA, then=4)
    assert crowd.members() == {ANNA: 2, BRAM: 2}, "each keeps to a half"
    crowd.leave(BRAM, then=4)
    crowd.leave(BRAM, then=4)
    crowd.leave(BRAM, then=4)
    assert crowd.members() == {ANNA: 3, BRAM: 1}, "nobody else waits"


def test_first_documents_come_before_second_ones() -> None:
    crowd = Crowd(Places())
    crowd.come(*(caller(at_once=1, position=n) for n in (5, 9, 7)))
    crowd.leave(ANNA, then=1)
    assert crowd.inside[0].position == 7


def test_nobody_waits_where_the_process_ends() -> None:
    places = Places()
    crowd = Crowd(places)
    crowd.come(*(caller(at_once=1, position=n) for n in range(3)))
    places.open_all()
    with crowd._changed:
        assert crowd._changed.wait_for(lambda: len(crowd.inside) == 3, 5)
