"""How often a member may search, start transfers, add, view or download files: for all processes together.

The limits are far above what a person does; they stop a script or a stuck key. A search runs with every letter typed,
so each process writes its count once for ten searches, and slightly more than the limit may pass.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from models import RateCount, utcnow
from services.core.errors import TooManyError
from services.core.unit_of_work import unit_of_work, upsert
from services.guidance.refusals import refusal


@dataclass(frozen=True)
class Limit:
    """At most `most` within each window of `seconds`, written `step` at a time. `done` reads "You have … 300 times"."""

    kind: str
    most: int
    seconds: int
    done: str
    step: int = 1


SEARCHES = Limit("search", 300, 60, "searched", step=10)
TRANSFERS = Limit("transfer", 300, 600, "started transfers")
UPLOADS = Limit("upload", 2000, 600, "added files")
ZIPS = Limit("zip", 100, 600, "downloaded zip files")
VIEWS = Limit("view", 600, 600, "opened previews and comparisons")


@dataclass
class _Count:
    """Of one window: the stored total of all processes when last read, and what this process counted since."""

    stored: int = 0
    since: int = 0


_lock = threading.Lock()
_counts: dict[str, _Count] = {}
MAX_CACHED = 10_000


class RateLimitedError(TooManyError):
    """A member did something too often within the window."""

    code = "rate_limit"
    title = "Too many requests"


def require(member_id: uuid.UUID, limit: Limit) -> None:
    """Count one more. Raises RateLimitedError if the limit of this window is reached."""
    now = utcnow()
    window = int(now.timestamp()) // limit.seconds
    ends_at = datetime.fromtimestamp((window + 1) * limit.seconds, UTC)
    key = f"{limit.kind} {member_id.hex} {window}"
    with _lock:
        if len(_counts) > MAX_CACHED:
            _counts.clear()
        is_first = key not in _counts
        count = _counts.setdefault(key, _Count())
        count.since += 1
        total = count.stored + count.since
        adding = count.since if is_first or count.since >= limit.step else 0
        if adding:
            count.since = 0
    if adding and total <= limit.most:
        total = _add(key, adding, ends_at, is_first=is_first)
        with _lock:
            count.stored = total
    if total > limit.most:
        wait = ends_at - now
        raise refusal(
            RateLimitedError,
            "rate_limit",
            done=limit.done,
            count=limit.most,
            window=_duration(limit.seconds),
            wait=_duration(max(1, round(wait / timedelta(seconds=1)))),
        )


def _add(key: str, adding: int, ends_at: datetime, *, is_first: bool) -> int:
    """Add to the row shared by all processes; returns the new total."""
    with unit_of_work() as writing:
        if is_first:
            writing.execute(delete(RateCount).where(RateCount.ends_at < utcnow()))
        made = upsert(RateCount).values(key=key, count=adding, ends_at=ends_at)
        counted = made.on_conflict_do_update(
            index_elements=["key"], set_={"count": RateCount.count + adding}
        ).returning(RateCount.count)
        return int(writing.scalar(counted) or 0)


def _duration(seconds: int) -> str:
    if seconds == 60:
        return "a minute"
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
