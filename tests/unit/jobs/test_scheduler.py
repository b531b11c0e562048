"""What a worker claims of the items that are due."""

from __future__ import annotations

import uuid
from collections import Counter

from jobs.scheduler import PREFETCH, choose
from jobs.slots import Slots
from services.execution.queue import Due

ANNA, BRAM = uuid.uuid4(), uuid.uuid4()


def due(count: int, member: uuid.UUID = ANNA, server: str = "london", at_once: int = 16) -> list[Due]:
    return [Due(uuid.uuid4(), position, server, member, at_once) for position in range(1, count + 1)]


def of(workers: int) -> Slots:
    slots = Slots()
    slots.workers = workers
    return slots


def test_few_documents_spread_over_all_workers() -> None:
    """Each of two workers has eight slots of the sixteen."""
    items = due(20)
    first = choose(items, {}, of(2))
    assert first[:8] == items[:8]
    second = choose([item for item in items if item not in first], {}, of(2))
    assert (len(first), len(second)) == (10, 8)


def test_no_more_is_claimed_than_is_needed_soon() -> None:
    assert len(choose(due(256), {}, of(1))) == PREFETCH * 16
    assert choose(due(256), {"london": Counter({ANNA: PREFETCH * 16})}, of(1)) == []


def test_a_colleague_is_let_in_where_all_slots_are_taken() -> None:
    in_flight = {"london": Counter({ANNA: 16})}
    assert len(choose(due(5, BRAM), in_flight, of(1))) == 5
    assert choose(due(5), in_flight, of(2)) == [], (
        "of the same member nothing more: another worker may have a slot"
    )


def test_a_single_worker_claims_the_last_items_before_it_has_slots_for_them() -> None:
    in_flight = {"london": Counter({ANNA: 8, BRAM: 8})}
    assert len(choose([*due(3), *due(4, BRAM)], in_flight, of(1))) == 7
    assert choose([*due(3), *due(4, BRAM)], in_flight, of(2)) == []


def test_a_full_server_does_not_keep_another_waiting() -> None:
    chosen = choose([*due(3), *due(2, server="paris")], {"london": Counter({ANNA: PREFETCH * 16})}, of(1))
    assert [item.server for item in chosen] == ["paris", "paris"]
