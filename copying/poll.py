"""Ask somebody at most so often, whatever the speed of the copy."""

import time
from collections.abc import Callable

from copying.ports import ShouldStop

Clock = Callable[[], float]


def asked_every(seconds: float, should_stop: ShouldStop, clock: Clock = time.monotonic) -> ShouldStop:
    """Ask at most once in `seconds`, for a flag that costs a query. A stop, once said, is not taken back."""
    last: float | None = None
    reason: str | None = None

    def throttled() -> str | None:
        nonlocal last, reason
        now = clock()
        if reason is None and (last is None or now - last >= seconds):
            last = now
            reason = should_stop()
        return reason

    return throttled
