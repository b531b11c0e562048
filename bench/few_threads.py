"""`python -m bench.few_threads N`: a worker that carries out at most so many items at a time."""

from __future__ import annotations

import sys

from flask.cli import main

from jobs import scheduler

if __name__ == "__main__":
    scheduler.MOST_THREADS = int(sys.argv[1])
    sys.argv = ["flask", "--app", "app", "worker"]
    main()
