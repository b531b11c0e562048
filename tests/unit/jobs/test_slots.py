"""A worker's share of a server's slots, and a member's share of them."""

from __future__ import annotations

import threading
import uuid
from collections import Counter

from jobs.slots import Slots
from services.execution.item_run import Task

ANNA, BRAM = uuid.uuid4(), uuid.uuid4()


LONDON, PARIS, OSLO = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


def task(server: uuid.UUID = LONDON, at_once: int = 4, member: uuid.UUID = ANNA, position: int = 1) -> Task:
    return Task(
        id=uuid.uuid4(),
        transfer_id=uuid.uuid4(),
        kind="get",
        position=position,
        name="",
        source=None,
        version_id=None,
        target=None,
        note="",
        based_on=None,
        sends=0,
        matter_id=uuid.uuid4(),
        member_id=member,
        server_id=server,
        at_once=at_once,
    )


def most_at_once(slots: Slots, server: uuid.UUID, at_once: int, callers: int) -> int:
    """How many of `callers` threads were ever inside together."""
    lock, inside, most = threading.Lock(), 0, 0
    full = threading.Event()

    def enter() -> None:
        nonlocal inside, most
        with slots.slot(task(server, at_once)):
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
    """Threads that hold slots until they are told to leave, in the order in which they got in."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._changed = threading.Condition()
        self._asked = 0
        self._leave: Counter[Task] = Counter()
        self.inside: list[Task] = []

    def come(self, *tasks: Task) -> None:
        """One after the other; each is inside or waits when this returns."""
        for each in tasks:
            threading.Thread(target=self._hold, args=(each,), daemon=True).start()
            self._asked += 1
            limit = self._slots._limits[str(each.server_id), "move"]
            for _ in range(500):
                if len(limit.waiting) + len(self.inside) == self._asked:
                    break
                threading.Event().wait(0.01)
            else:
                raise AssertionError("a thread did not arrive")

    def leave(self, member: uuid.UUID, then: int) -> None:
        """One of this member's leaves; `then` is how many are inside when the next has come."""
        with self._changed:
            gone = next(each for each in self.inside if each.member_id == member)
            self.inside.remove(gone)
            self._leave[gone] += 1
            self._asked -= 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: len(self.inside) == then, 5)

    def members(self) -> Counter[uuid.UUID]:
        return Counter(each.member_id for each in self.inside)

    def _hold(self, mine: Task) -> None:
        with self._slots.slot(mine), self._changed:
            self.inside.append(mine)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._leave[mine] > 0)
            self._leave[mine] -= 1


def test_no_more_than_the_server_allows() -> None:
    assert most_at_once(Slots(), LONDON, 3, 12) == 3


def test_workers_share_what_the_server_allows() -> None:
    slots = Slots()
    slots.workers = 2
    assert most_at_once(slots, LONDON, 6, 12) == 3


def test_a_worker_always_has_a_slot() -> None:
    slots = Slots()
    slots.workers = 9
    assert most_at_once(slots, LONDON, 4, 4) == 1


def test_a_full_server_does_not_keep_another_waiting() -> None:
    slots = Slots()
    with slots.slot(task(LONDON, 1)), slots.slot(task(PARIS, 1)):
        assert most_at_once(slots, OSLO, 2, 4) == 2


def test_a_member_alone_has_all_places_and_half_as_soon_as_another_waits() -> None:
    crowd = Crowd(Slots())
    crowd.come(*(task(position=n) for n in range(1, 11)))
    assert crowd.members() == {ANNA: 4}
    crowd.come(*(task(member=BRAM, position=n) for n in range(90, 94)))
    crowd.leave(ANNA, then=4)
    crowd.leave(ANNA, then=4)
    assert crowd.members() == {ANNA: 2, BRAM: 2}, "though Anna's come sooner in their transfer"
    crowd.leave(ANNA, then=4)
    assert crowd.members() == {ANNA: 2, BRAM: 2}, "each keeps to a half"
    crowd.leave(BRAM, then=4)
    crowd.leave(BRAM, then=4)
    crowd.leave(BRAM, then=4)
    assert crowd.members() == {ANNA: 3, BRAM: 1}, "nobody else waits"


def test_first_documents_come_before_second_ones() -> None:
    crowd = Crowd(Slots())
    crowd.come(*(task(at_once=1, position=n) for n in (5, 9, 7)))
    crowd.leave(ANNA, then=1)
    assert crowd.inside[0].position == 7


def test_nobody_waits_when_the_process_ends() -> None:
    slots = Slots()
    crowd = Crowd(slots)
    crowd.come(*(task(at_once=1, position=n) for n in range(3)))
    slots.open_all()
    with crowd._changed:
        assert crowd._changed.wait_for(lambda: len(crowd.inside) == 3, 5)
