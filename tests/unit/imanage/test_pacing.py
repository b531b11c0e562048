"""Client-side rate limiting, on a clock that moves only while the pacer waits."""

from __future__ import annotations

import threading

import pytest

from imanage import client as imanage_client
from imanage.client import Pacer
from imanage.errors import StoppedError, ThrottledError


class Clock:
    """The monotonic clock, and the event that a pacer waits for: each wait moves the clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.stops_at = float("inf")

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.stops_at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(imanage_client, "time", clock)
    monkeypatch.setattr(threading, "Event", lambda: clock)
    return clock


def test_there_is_no_wait_without_a_429(clock: Clock) -> None:
    Pacer().wait()
    assert clock.now == 1000


def test_waits_out_a_short_reset_and_keeps_the_longer_of_two(clock: Clock) -> None:
    pacer = Pacer(cap_seconds=5)
    pacer.throttled(3)
    pacer.throttled(1)
    pacer.wait()
    assert clock.now == pytest.approx(1003)


def test_a_long_reset_raises_instead_of_waiting(clock: Clock) -> None:
    pacer = Pacer(cap_seconds=1)
    pacer.throttled(50)
    with pytest.raises(ThrottledError) as caught:
        pacer.wait()
    assert caught.value.wait_seconds == 50 and clock.now == 1000


def test_a_wait_ends_when_its_own_work_is_cancelled(clock: Clock) -> None:
    pacer = Pacer()
    pacer.throttled(20)
    with pytest.raises(StoppedError):
        pacer.wait(lambda: clock.now > 1002)
    assert clock.now < 1003


def test_a_wait_ends_when_the_process_stops(clock: Clock) -> None:
    pacer = Pacer()
    pacer.throttled(20)
    clock.stops_at = 1005
    with pytest.raises(StoppedError):
        pacer.wait()
    assert clock.now == pytest.approx(1005)


def test_stopping_wakes_a_thread_that_waits() -> None:
    """With the real event."""
    pacer = Pacer()
    pacer.throttled(20)
    pacer.stop()
    with pytest.raises(StoppedError):
        pacer.wait()
