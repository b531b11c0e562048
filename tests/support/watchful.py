"""`python -m tests.support.watchful`: the worker as it is, but quicker to see that another one is gone."""

from __future__ import annotations

import sys

from flask.cli import main

from jobs import reconciler, worker

QUICKER = 3.5


def hurry() -> None:
    reconciler.DEAD_AFTER_SECONDS /= QUICKER
    worker.REAP_SECONDS /= QUICKER


if __name__ == "__main__":
    hurry()
    sys.argv = ["flask", "--app", "app", "worker"]
    main()
