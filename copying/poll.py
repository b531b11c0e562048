"""Limits how often a costly check is made, at any speed of the copy."""

import time
from collections.abc import Callable

from copying.ports import ShouldStop

Clock = Callable[[], float]


def throttled(seconds: float, should_stop: ShouldStop, clock: Clock = time.monotonic) -> ShouldStop:
    """`should_stop`, called at most once in `seconds`, first after as many. A reason to stop is final."""
    last = clock()
    reason: str | None = None

    def ask() -> str | None:
        nonlocal last, reason
        now = clock()
        if reason is None and now - last >= seconds:
            last = now
            reason = should_stop()
        return reason

    return ask
