"""Adaptive concurrency: how many documents of a server move at a time today, below what its admin allows.

One more while iManage answers and runs wait for slots. When it refuses calls (429 or 503), as many as it has answered
in the last second, else two thirds; when its answers become slow, four fifths. One row for all workers. A number that
was too many is tried again only after RETRY.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import case, func, null, select, update

from imanage.client import Answers
from models import Server, ServerConcurrency
from services.core.unit_of_work import release, session, unit_of_work, upsert

START = 2
STEP = timedelta(seconds=0.25)
"""Least time between two steps up."""
COOLDOWN = timedelta(seconds=1)
"""Refusals so soon after a step down belong to the calls that caused it."""
RETRY = timedelta(minutes=1)
SLOW_FACTOR = 2.0
SLOW_SECONDS = 0.1
"""Answers are slow from this much over the usual, and SLOW_FACTOR times as long."""
SLOW_FLOOR = 4
"""Slow answers never lower the limit below this: they may be our own machine's."""
FEWEST_ANSWERS = 8
RATE_STEPS = 4
RATE_SECONDS = (0.7, 2.0)
"""The rate of answers is that of so many observations in a row, if they cover a time between these two."""
MARGIN = 0.95
GROWING, REFUSED, SLOW = "growing", "refused", "slow"

AT_ONCE = case(
    (Server.at_once.is_(None), null()),
    (
        func.coalesce(ServerConcurrency.at_once, START) < Server.at_once,
        func.coalesce(ServerConcurrency.at_once, START),
    ),
    else_=Server.at_once,
).label("at_once")
"""Today's limit, for a query that joins both tables; NULL where the server has been removed."""


@dataclass(frozen=True)
class Limit:
    """Today's limit, why it is not higher, and since when. `too_many` is the limit at which it was last lowered."""

    at_once: int
    too_many: int | None
    reason: str
    changed_at: datetime


@dataclass(frozen=True)
class Observed:
    """The answers since the last step, and whether runs wait for slots. `usual` is the server's median when idle.

    `answered_at_once` is how many calls were answered at a time in the last second, over all workers: rate x latency.
    """

    answers: Answers
    is_short: bool
    usual: float
    answered_at_once: float | None = None

    @property
    def is_slow(self) -> bool:
        median = self.answers.median
        if median is None or self.answers.number < FEWEST_ANSWERS:
            return False
        return median > max(self.usual * SLOW_FACTOR, self.usual + SLOW_SECONDS)


def following(limit: Limit, observed: Observed, ceiling: int, now: datetime) -> Limit:
    """The limit after these answers; the same object where nothing changes."""
    since = now - limit.changed_at
    at_once = min(limit.at_once, ceiling)
    if observed.answers.refused:
        return limit if limit.reason == REFUSED and since < COOLDOWN else _refused(at_once, observed, now)
    if observed.is_slow:
        if at_once <= SLOW_FLOOR or since < COOLDOWN:
            return limit
        return Limit(max(SLOW_FLOOR, at_once * 4 // 5), at_once, SLOW, now)
    if not observed.is_short or not observed.answers.number or at_once >= ceiling or since < STEP:
        return limit
    if limit.too_many is None or since >= RETRY:
        return Limit(at_once + 1, None, GROWING, now)
    return replace(limit, at_once=at_once + 1, changed_at=now) if at_once + 1 < limit.too_many else limit


def _refused(at_once: int, observed: Observed, now: datetime) -> Limit:
    fitting = (observed.answered_at_once or at_once) * MARGIN
    fits = 2 if 1.5 <= fitting < 2 else int(fitting)  # 1 would be half of what the server takes
    if observed.answered_at_once is None or fits >= at_once:
        return Limit(max(1, at_once * 2 // 3), at_once, REFUSED, now)
    return Limit(max(1, fits), max(1, fits) + 1, REFUSED, now)


def first(now: datetime) -> Limit:
    """The limit of a server that has not been called yet."""
    return Limit(START, None, GROWING, now)


class Observer:
    """What one worker has seen of its servers. Not for several threads."""

    def __init__(self) -> None:
        self._usual: dict[uuid.UUID, float] = {}
        self._counts: dict[uuid.UUID, deque[tuple[float, int]]] = {}

    def observe(
        self, server_id: uuid.UUID, answers: Answers, *, is_short: bool, workers: int, clock: float
    ) -> Observed:
        """Add the answers since the last call. `clock` is monotonic."""
        counts = self._counts.setdefault(server_id, deque(maxlen=RATE_STEPS + 1))
        counts.append((clock, answers.number - answers.refused))
        usual = self._usual.get(server_id)
        if answers.median is not None:
            usual = min(answers.median, (usual or answers.median) * 1.001)
            self._usual[server_id] = usual
        rate = _rate(counts)
        answered = None if rate is None or usual is None else rate * (answers.median or usual) * workers
        return Observed(answers, is_short, usual or 0.0, answered)


def _rate(counts: Sequence[tuple[float, int]]) -> float | None:
    """Answers per second; None where the observations are too few, or too far apart."""
    seconds = counts[-1][0] - counts[0][0]
    if len(counts) <= RATE_STEPS or not RATE_SECONDS[0] <= seconds <= RATE_SECONDS[1]:
        return None
    return sum(number for _, number in list(counts)[1:]) / seconds


def sentence(limit: Limit, ceiling: int) -> str:
    """Why today's limit is below what the admin allows; empty where it is not."""
    if limit.at_once >= ceiling:
        return ""
    return {
        REFUSED: f"With {limit.too_many}, iManage refused calls.",
        SLOW: f"With {limit.too_many}, iManage answered more slowly.",
    }.get(limit.reason, "It rises while documents wait and iManage answers quickly.")


def limits(server_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[int, Limit | None]]:
    """What the admin allows, and today's limit; None where the server has not been called yet."""
    rows = session().execute(
        select(Server.id, Server.at_once, ServerConcurrency)
        .outerjoin(ServerConcurrency, ServerConcurrency.server_id == Server.id)
        .where(Server.id.in_(server_ids))
    )
    found = {id: (ceiling, _limit(row) if row else None) for id, ceiling, row in rows}
    release()
    return found


def today(server_id: uuid.UUID) -> Limit | None:
    """Today's limit of one server."""
    row = session().get(ServerConcurrency, server_id)
    return _limit(row) if row else None


def change(server_id: uuid.UUID, before: Limit | None, after: Limit) -> None:
    """Write a step, unless another worker has made one meanwhile."""
    values = {
        "at_once": after.at_once,
        "too_many": after.too_many,
        "reason": after.reason,
        "changed_at": after.changed_at,
    }
    with unit_of_work(relaxed_durability=True) as writing:
        if before is None:
            writing.execute(
                upsert(ServerConcurrency).values(server_id=server_id, **values).on_conflict_do_nothing()
            )
            return
        writing.execute(
            update(ServerConcurrency)
            .where(
                ServerConcurrency.server_id == server_id,
                ServerConcurrency.at_once == before.at_once,
                ServerConcurrency.changed_at == before.changed_at,
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _limit(row: ServerConcurrency) -> Limit:
    return Limit(row.at_once, row.too_many, row.reason, row.changed_at)
