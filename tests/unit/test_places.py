"""A worker's share of a server's places."""

from __future__ import annotations

import threading

from jobs.places import Places


def most_at_once(places: Places, lane: str, at_once: int, callers: int) -> int:
    """How many of `callers` threads were ever inside together."""
    lock, inside, most = threading.Lock(), 0, 0
    full = threading.Event()

    def enter() -> None:
        nonlocal inside, most
        with places.held(lane, at_once):
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
    with places.held("london", 1), places.held("paris", 1):
        assert most_at_once(places, "oslo", 2, 4) == 2
