"""What a folder held before a save, read once for many saves into it at the same time.

An announcement may use a recent snapshot where iManage is known to keep our mark: what our own saves have added is
in their rows, what carries the mark is recognised by it, and nothing else is taken for ours. Where iManage drops the
mark, or it is not known yet, every snapshot is read after it was requested; requests during a read share the next.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from copying.values import Known
from services.execution.item_run import active_count
from services.servers import server_facts

Baseline = tuple[Known, ...]
Key = tuple[uuid.UUID, uuid.UUID, str]
MAX_AGE_SECONDS = 20.0
MAX_AGE_IN_READS = 10.0
"""A snapshot of a large folder may be this many times as old as its read took, so that reads stay a small part."""
LINGER_SECONDS = 0.01
"""How long a read waits for other requests to share it: a request that comes later needs another read."""
MOST_KEPT = 64


@dataclass
class _Reading:
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Baseline = ()
    at: float = float("-inf")
    took: float = 0.0


_guard = threading.Lock()
_readings: dict[Key, _Reading] = {}
_marks_kept: dict[uuid.UUID, bool] = {}


def note_comment(server_id: uuid.UUID, mark: str | None, comment: str | None) -> None:
    """Learn from the comment of a stored save whether the server keeps our mark, whatever was measured before."""
    is_kept = bool(mark and mark in (comment or ""))
    if mark and not is_kept and _is_measured(server_id):
        server_facts.doubt(server_id, {"comments": "A save came back without its comment."})
    _marks_kept[server_id] = is_kept


def keeps_marks(server_id: uuid.UUID) -> bool:
    """Whether the last save of this process that the server stored carried its mark; before one, what was measured."""
    kept = _marks_kept.get(server_id)
    return _is_measured(server_id) if kept is None else kept


def _is_measured(server_id: uuid.UUID) -> bool:
    facts = server_facts.last_used(server_id)
    return "comments" in facts.measured and facts.comments == "kept"


def shared(
    member_id: uuid.UUID, server_id: uuid.UUID, folder_id: str, read: Callable[[], Baseline], *, by_mark: bool
) -> Baseline:
    """The folder's documents as this member sees them: a recent snapshot if `by_mark`, else one read after this call.

    One thread reads at a time. It renews a snapshot at half its lifetime; the others use the old one until it expires.
    """
    asked = time.monotonic()
    reading = _reading((member_id, server_id, folder_id))
    max_age = max(MAX_AGE_SECONDS, MAX_AGE_IN_READS * reading.took) if by_mark else 0.0
    wanted, needed = asked - max_age / 2, asked - max_age
    if reading.at >= wanted or not reading.lock.acquire(blocking=reading.at < needed):
        return reading.found
    try:
        if reading.at < wanted:
            if not by_mark and active_count() > 1:
                time.sleep(LINGER_SECONDS)
            began = time.monotonic()
            reading.found = read()
            reading.at, reading.took = began, time.monotonic() - began
        return reading.found
    finally:
        reading.lock.release()


def _reading(key: Key) -> _Reading:
    with _guard:
        reading = _readings.pop(key, None) or _Reading()
        _readings[key] = reading
        while len(_readings) > MOST_KEPT:
            del _readings[next(iter(_readings))]
        return reading
