"""Client-side rate limiting, on a clock that moves only while the pacer waits."""

from __future__ import annotations

import pytest

from imanage import client as imanage_client
from imanage.client import Pacer
from imanage.errors import ThrottledError


class Clock:
    """The monotonic clock, which each sleep moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(imanage_client, "time", clock)
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
