"""Client-side rate limiting."""

from __future__ import annotations

import threading
import time

import pytest

from imanage.errors import StoppedError, ThrottledError
from imanage.pacing import Pacer


def test_there_is_no_wait_without_a_429() -> None:
    started = time.monotonic()
    Pacer().wait()
    assert time.monotonic() - started < 1


def test_waits_out_a_short_reset_and_keeps_the_longer_of_two() -> None:
    pacer = Pacer(cap_seconds=5)
    pacer.throttled(0.3)
    pacer.throttled(0.1)
    started = time.monotonic()
    pacer.wait()
    assert 0.28 <= time.monotonic() - started < 5


def test_a_long_reset_raises_instead_of_waiting() -> None:
    pacer = Pacer(cap_seconds=1)
    pacer.throttled(50)
    with pytest.raises(ThrottledError) as caught:
        pacer.wait()
    assert 49 < (caught.value.wait_seconds or 0) <= 50


def test_a_wait_ends_when_its_own_work_is_cancelled() -> None:
    pacer = Pacer()
    pacer.throttled(20)
    started = time.monotonic()
    with pytest.raises(StoppedError):
        pacer.wait(lambda: True)
    assert time.monotonic() - started < 10


def test_a_wait_ends_when_the_process_stops() -> None:
    pacer = Pacer()
    pacer.throttled(20)
    threading.Timer(0.1, pacer.stop).start()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        pacer.wait()
    assert time.monotonic() - started < 10
