"""What a worker takes to hand of what is due."""

from __future__ import annotations

import uuid
from collections import Counter

from jobs.hand import MOST_IN_BATCH, STOCK, Hand, choose
from jobs.places import places
from services.execution.queue import Due, share

ANNA, BRAM = uuid.uuid4(), uuid.uuid4()


def due(count: int, member: uuid.UUID = ANNA, lane: str = "london", at_once: int = 16) -> list[Due]:
    return [Due(uuid.uuid4(), position, lane, member, at_once) for position in range(1, count + 1)]


def sizes(loads: list[list[Due]]) -> list[int]:
    return [len(load) for load in loads]


def test_few_documents_spread_over_all_workers() -> None:
    """Each of two workers has eight places of the sixteen."""
    items = due(20)
    first = [item for load in choose(items, {}, 2) for item in load]
    assert first[:8] == items[:8]
    left = [item for item in items if item not in first]
    second = [item for load in choose(left, {}, 2) for item in load]
    assert (len(first), len(second)) == (10, 8)


def test_many_documents_come_in_whole_loads_and_no_more_than_is_soon_needed() -> None:
    loads = choose(due(256), {}, 1)
    assert sizes(loads) == [MOST_IN_BATCH] * (STOCK * 16 // MOST_IN_BATCH)
    in_hand = {"london": Counter({ANNA: STOCK * 16})}
    assert choose(due(256), in_hand, 1) == []


def test_a_colleague_is_let_in_where_all_places_are_taken() -> None:
    in_hand = {"london": Counter({ANNA: 16})}
    (load,) = choose([*due(0), *due(5, BRAM)], in_hand, 1)
    assert len(load) == 5
    assert choose(due(5), in_hand, 2) == [], "of her own nothing more: another worker may have a place"


def test_a_worker_that_is_alone_takes_the_last_ones_before_it_has_a_place_for_them() -> None:
    in_hand = {"london": Counter({ANNA: 8, BRAM: 8})}
    assert sizes(choose([*due(3), *due(4, BRAM)], in_hand, 1)) == [7]
    assert choose([*due(3), *due(4, BRAM)], in_hand, 2) == []


def test_a_load_is_of_one_server() -> None:
    loads = choose([*due(3), *due(2, lane="paris")], {"london": Counter({ANNA: 15})}, 1)
    assert [{item.lane for item in load} for load in loads] == [{"london"}, {"paris"}]
    assert sizes(loads) == [3, 2]


def test_a_hand_that_has_few_left_wants_more_until_every_server_has_enough() -> None:
    hand = Hand()
    enough = 2 * share(2, places.workers)
    for lane in ("london", "oslo"):
        for _ in range(enough):
            hand.take(lane, ANNA, 2)
    assert not hand.wanting.is_set()
    for lane in ("london", "oslo"):
        hand.give_back(lane, ANNA)
    assert hand.wanting.is_set()
    hand.take("london", ANNA, 2)
    assert hand.wanting.is_set(), "the other still has few"
    hand.take("oslo", ANNA, 2)
    assert not hand.wanting.is_set()
    hand.give_back("oslo", ANNA)
    hand.look()
    assert not hand.wanting.is_set()
