"""How often a member may search, start transfers and add files: counted in a table, so over all processes.

The limits are far above what a person does; they hold a script or a stuck key. Searches come with every letter that is
typed, so a process puts them on record ten at a time: over all processes some more than the limit may pass.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from models import RateCount, utcnow
from services.core.errors import TooManyError
from services.core.unit_of_work import session, unit_of_work


@dataclass(frozen=True)
class Limit:
    """At most so many within each window; `step` of them are put on record at once. `done`: as "You have … times"."""

    kind: str
    most: int
    seconds: int
    done: str
    step: int = 1


SEARCHES = Limit("search", 300, 60, "searched", step=10)
TRANSFERS = Limit("transfer", 300, 600, "started transfers")
UPLOADS = Limit("upload", 2000, 600, "added files")


@dataclass
class _Count:
    """Of one window: what all processes had on record when this one last looked, and what it has done since."""

    on_record: int = 0
    since: int = 0


_lock = threading.Lock()
_counts: dict[str, _Count] = {}
MOST_KEPT = 10_000


class RateLimitedError(TooManyError):
    """A member has done something too often within the window."""

    code = "rate_limit"
    title = "Too many at once"


def require(member_id: uuid.UUID, limit: Limit) -> None:
    """Count one more. Raises RateLimitedError where the limit of this window is reached."""
    now = utcnow()
    window = int(now.timestamp()) // limit.seconds
    ends_at = datetime.fromtimestamp((window + 1) * limit.seconds, UTC)
    key = f"{limit.kind} {member_id.hex} {window}"
    with _lock:
        if len(_counts) > MOST_KEPT:
            _counts.clear()
        is_first = key not in _counts
        count = _counts.setdefault(key, _Count())
        count.since += 1
        total = count.on_record + count.since
        adding = count.since if is_first or count.since >= limit.step else 0
        if adding:
            count.since = 0
    if adding and total <= limit.most:
        total = _put(key, adding, ends_at, is_first=is_first)
        with _lock:
            count.on_record = total
    if total > limit.most:
        wait = ends_at - now
        raise RateLimitedError(
            f"You have {limit.done} {limit.most} times within {_within(limit.seconds)}. "
            f"Try again in {_within(max(1, round(wait / timedelta(seconds=1))))}.",
            next_step="Nothing was done. If this is work of yours, tell your System Admin.",
        )


def _put(key: str, adding: int, ends_at: datetime, *, is_first: bool) -> int:
    """Add to the row of all processes; how many it has now."""
    with unit_of_work() as writing:
        if is_first:
            writing.execute(delete(RateCount).where(RateCount.ends_at < utcnow()))
        insert = postgresql.insert if session().get_bind().dialect.name == "postgresql" else sqlite.insert
        made = insert(RateCount).values(key=key, count=adding, ends_at=ends_at)
        counted = made.on_conflict_do_update(
            index_elements=["key"], set_={"count": RateCount.count + adding}
        ).returning(RateCount.count)
        return int(writing.scalar(counted) or 0)


def _within(seconds: int) -> str:
    if seconds == 60:
        return "a minute"
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
