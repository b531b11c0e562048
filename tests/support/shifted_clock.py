"""`python -m tests.support.shifted_clock FILE ARGUMENTS…`: `flask` with these arguments, on a clock that can be set.

The file holds by how many seconds this process's clock, and that of its children, differs from the machine's; it may
be written at any time. The monotonic clock is unchanged.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from functools import partial
from pathlib import Path

import time_machine
from flask.cli import main

POLL_SECONDS = 0.1


def follow(file: Path, clock: time_machine.Coordinates) -> None:
    set_to = 0.0
    while True:
        wanted = float(file.read_text() or set_to)
        if wanted != set_to:
            clock.shift(wanted - set_to)
            set_to = wanted
        time.sleep(POLL_SECONDS)


def follow_beside(file: Path, clock: time_machine.Coordinates) -> None:
    threading.Thread(target=follow, args=(file, clock), daemon=True).start()


if __name__ == "__main__":
    begin = partial(follow_beside, Path(sys.argv[1]), time_machine.travel(time.time(), tick=True).start())
    begin()
    os.register_at_fork(after_in_child=begin)
    sys.argv = ["flask", *sys.argv[2:]]
    main()
