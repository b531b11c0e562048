"""What a process keeps to its end is looked through once, and what it had for a moment goes back to the system."""

from __future__ import annotations

import ctypes
import gc

M_MMAP_THRESHOLD = -3
LARGE = 128 * 1024


def started() -> None:
    """Call at the end of start-up. Every look through all that was imported and made holds up every thread: 90 ms.

    What lives when it is called is taken to live to the end.
    """
    gc.collect()
    gc.freeze()


def only_when_told() -> None:
    """For a process whose work others wait for: it is looked through between two pieces of work, by `started` again."""
    gc.disable()


def give_back_large() -> None:
    """For a process of many threads: what is large is had from the system and given back to it, each time.

    Left alone, glibc keeps blocks of up to 32 MiB for later once it has seen one go, and for each thread its own.
    """
    try:
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
    except AttributeError:  # another C library, which has no such habit
        return
