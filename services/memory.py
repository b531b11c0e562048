"""What a process keeps to its end is looked through once by Python's collector, and not again and again."""

from __future__ import annotations

import gc


def started() -> None:
    """Call at the end of start-up. Every look through all that was imported and made holds up every thread: 90 ms.

    What lives when it is called is taken to live to the end.
    """
    gc.collect()
    gc.freeze()


def only_when_told() -> None:
    """For a process whose work others wait for: it is looked through between two pieces of work, by `started` again."""
    gc.disable()
