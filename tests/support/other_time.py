"""`python -m tests.support.other_time FILE ARGUMENTS…`: `flask` with these arguments, on a clock that can be set.

The file holds by how many seconds this process's clock differs from the machine's; it may be written at any time. The
steady clock goes on as ever.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import time_machine
from flask.cli import main

LOOK_SECONDS = 0.1


def follow(file: Path, clock: time_machine.Coordinates) -> None:
    set_to = 0.0
    while True:
        wanted = float(file.read_text() or set_to)
        if wanted != set_to:
            clock.shift(wanted - set_to)
            set_to = wanted
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    clock = time_machine.travel(time.time(), tick=True).start()
    threading.Thread(target=follow, args=(Path(sys.argv[1]), clock), daemon=True).start()
    sys.argv = ["flask", *sys.argv[2:]]
    main()
