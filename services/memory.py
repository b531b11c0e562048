"""What a process keeps to its end is looked through once by Python's collector, and not again and again."""

from __future__ import annotations

import gc


def started() -> None:
    """Call at the end of start-up. Every look through all that was imported and made holds up every thread: 90 ms."""
    gc.collect()
    gc.freeze()
