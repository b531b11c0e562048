"""Garbage collection without long pauses, and large blocks of memory returned to the system."""

from __future__ import annotations

import ctypes
import gc

M_MMAP_THRESHOLD = -3
LARGE = 128 * 1024


def freeze() -> None:
    """Collect once, then exempt what lives now from collection. Call at the end of start-up.

    A full collection of everything that is imported stops all threads for 90 ms.
    """
    gc.collect()
    gc.freeze()


def give_back_large() -> None:
    """For a process of many threads: return large blocks to the system as soon as they are freed.

    By default glibc keeps blocks of up to 32 MiB for reuse, separately for each thread.
    """
    try:
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
    except AttributeError:  # another C library than glibc
        return
