"""What a folder held before a save: read once for the many saves that go into it at the same time.

An announcement may stand on what was read a moment before it. What our own saves have added since is claimed by
their rows, and what carries our mark is known by it; a save that is repeated reads the folder anew.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from transfers.items import Known

Baseline = tuple[Known, ...]
Key = tuple[uuid.UUID, uuid.UUID, str]
GOOD_SECONDS = 5.0
MOST_KEPT = 64


@dataclass
class _Reading:
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Baseline = ()
    at: float = float("-inf")


_guard = threading.Lock()
_readings: dict[Key, _Reading] = {}


def shared(
    member_id: uuid.UUID, server_id: uuid.UUID, folder_id: str, read: Callable[[], Baseline]
) -> Baseline:
    """The folder's documents as this member saw them at most `GOOD_SECONDS` ago. Only one thread reads at a time."""
    reading = _reading((member_id, server_id, folder_id))
    with reading.lock:
        if time.monotonic() - reading.at > GOOD_SECONDS:
            began = time.monotonic()
            reading.found = read()
            reading.at = began
        return reading.found


def _reading(key: Key) -> _Reading:
    with _guard:
        reading = _readings.pop(key, None) or _Reading()
        _readings[key] = reading
        while len(_readings) > MOST_KEPT:
            del _readings[next(iter(_readings))]
        return reading
