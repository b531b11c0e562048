"""`python -m tests.support.fast_takeover`: a worker that takes over from a dead one in three seconds, not in ten."""

from __future__ import annotations

import sys

from flask.cli import main

from jobs import scheduler

QUICKER = 3.5


def shorten_timeouts() -> None:
    scheduler.EXPIRY_SECONDS /= QUICKER


if __name__ == "__main__":
    shorten_timeouts()
    sys.argv = ["flask", "--app", "app", "worker"]
    main()
