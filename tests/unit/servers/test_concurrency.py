"""A server's limit is found with few refusals, lowered when it slows down, and tried again later."""

from __future__ import annotations

import heapq
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from imanage.client import Answers
from models import new_id
from services.servers.concurrency import (
    COOLDOWN,
    GROWING,
    REFUSED,
    RETRY,
    SLOW,
    START,
    STEP,
    Limit,
    Observed,
    Observer,
    first,
    following,
    sentence,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
USUAL = 0.05


def seen(
    number: int = 20, refused: int = 0, median: float | None = USUAL, *, is_short: bool = True
) -> Observed:
    return Observed(Answers(number, refused, median), is_short, USUAL)


def at(at_once: int, too_many: int | None = None, reason: str = GROWING, ago: float = 10.0) -> Limit:
    return Limit(at_once, too_many, reason, NOW - timedelta(seconds=ago))


def test_it_grows_by_one_while_runs_wait() -> None:
    after = following(at(START), seen(), 16, NOW)
    assert (after.at_once, after.changed_at) == (START + 1, NOW)


@pytest.mark.parametrize(
    ("limit", "observed"),
    [
        (at(5), seen(is_short=False)),
        (at(5), seen(number=0, median=None)),
        (at(16), seen()),
        (at(5, ago=STEP.total_seconds() / 2), seen()),
        (at(5, 6, REFUSED), seen()),
        (at(5, 6, REFUSED, ago=0.2), seen(refused=3)),
        (at(START), seen(median=1.0)),
        (at(9, ago=0.5), seen(median=1.0)),
        (at(9), seen(number=3, median=1.0, is_short=False)),
    ],
    ids=[
        "enough",
        "silent",
        "ceiling",
        "soon",
        "too many",
        "same burst",
        "slow, least",
        "slow, soon",
        "slow, few",
    ],
)
def test_it_stays(limit: Limit, observed: Observed) -> None:
    assert following(limit, observed, 16, NOW) is limit


def test_refusals_take_a_third() -> None:
    assert following(at(9), seen(refused=2), 16, NOW) == Limit(6, 9, REFUSED, NOW)
    assert following(at(1), seen(refused=2), 16, NOW).at_once == 1


def test_refusals_leave_what_was_answered_in_the_last_second() -> None:
    observer, server = Observer(), new_id()
    for step in range(5):
        observed = observer.observe(server, Answers(20, 5, 0.05), is_short=True, workers=2, clock=step * 0.25)
    assert observed.answered_at_once == pytest.approx(15 / 0.25 * 0.05 * 2)
    assert following(at(9), observed, 16, NOW) == Limit(5, 6, REFUSED, NOW)


@pytest.mark.parametrize("clocks", [[0, 0.25, 0.5], [0, 0.25, 0.5, 0.75, 60]], ids=["few", "far apart"])
def test_without_a_rate_refusals_take_a_third(clocks: list[float]) -> None:
    observer, server = Observer(), new_id()
    for clock in clocks:
        observed = observer.observe(server, Answers(20, 5, 0.05), is_short=True, workers=1, clock=clock)
    assert observed.answered_at_once is None
    assert following(at(9), observed, 16, NOW) == Limit(6, 9, REFUSED, NOW)


def test_slow_answers_take_a_fifth() -> None:
    assert following(at(10), seen(median=0.2), 16, NOW) == Limit(8, 10, SLOW, NOW)
    assert following(at(10), seen(median=0.09), 16, NOW).at_once == 11, (
        "Twice as long is not yet slow at 50 ms."
    )


def test_too_many_is_tried_again_a_minute_later() -> None:
    limit = at(5, 6, REFUSED, ago=RETRY.total_seconds())
    assert following(limit, seen(), 16, NOW) == Limit(6, None, GROWING, NOW)


def test_a_lower_ceiling_counts_from_where_it_is() -> None:
    assert following(at(30), seen(refused=1), 8, NOW) == Limit(5, 8, REFUSED, NOW)


def test_the_usual_is_the_least_median_and_rises_slowly() -> None:
    observer, server = Observer(), new_id()
    observer.observe(server, Answers(9, 0, 0.05), is_short=True, workers=1, clock=1.0)
    slow = observer.observe(server, Answers(9, 0, 0.4), is_short=True, workers=1, clock=1.25)
    assert slow.is_slow
    assert slow.usual == pytest.approx(0.05, rel=0.01)


def test_it_says_why_it_is_not_higher() -> None:
    assert sentence(at(16), 16) == ""
    assert sentence(at(5, 6, REFUSED), 16) == "With 6, iManage refused calls."
    assert sentence(at(5, 6, SLOW), 16) == "With 6, iManage answered more slowly."
    assert "rises" in sentence(first(NOW), 16)


@pytest.mark.parametrize("per_second", [100, 160, 260, 400])
@pytest.mark.parametrize("latency", [0.05, 0.12])
@pytest.mark.parametrize("ceiling", [16, 64])
def test_a_hidden_rate_is_found_within_ten_seconds_with_under_one_percent_refused(
    per_second: int, latency: float, ceiling: int
) -> None:
    """As the practice iManage counts with `rate_limit`: so many calls in any second, then 429 for a second."""
    model = Model(per_second, latency, ceiling)
    model.run(10)
    assert model.refused / model.calls < 0.01
    calls = model.calls
    model.run(40)
    assert model.refused / model.calls < 0.01
    possible = min(per_second, ceiling / latency) * 30
    assert (model.calls - calls) / possible > 0.6
    assert model.at_once <= per_second * latency + 1


class Model:
    """A server that takes so many calls a second, and callers who always have more to ask. Time is simulated."""

    def __init__(self, per_second: int, latency: float, ceiling: int) -> None:
        self.per_second, self.latency, self.ceiling = per_second, latency, ceiling
        self.calls = self.refused = 0
        self.limit = first(NOW)
        self._observer, self._server = Observer(), new_id()
        self._taken: deque[float] = deque()
        self._flying: list[tuple[float, bool]] = []
        self._clock, self._tick, self._closed_until = 0.0, 0.25, 0.0

    @property
    def at_once(self) -> int:
        return min(self.limit.at_once, self.ceiling)

    def run(self, until: float) -> None:
        number = refused = 0
        while self._clock < until:
            while len(self._flying) < self.at_once and self._clock >= self._closed_until:
                heapq.heappush(self._flying, (self._clock + self.latency, self._call()))
            self._clock = min(self._flying[0][0] if self._flying else self._closed_until, self._tick)
            while self._flying and self._flying[0][0] <= self._clock:
                _, is_refused = heapq.heappop(self._flying)
                number, refused = number + 1, refused + is_refused
                if is_refused:
                    self._closed_until = max(self._closed_until, self._clock + 1.0)
            if self._clock >= self._tick:
                self._tick += 0.25
                observed = self._observer.observe(
                    self._server,
                    Answers(number, refused, self.latency),
                    is_short=True,
                    workers=1,
                    clock=self._clock,
                )
                now = NOW + timedelta(seconds=self._clock)
                self.limit = following(self.limit, observed, self.ceiling, now)
                number = refused = 0

    def _call(self) -> bool:
        clock = self._clock
        self.calls += 1
        while self._taken and clock - self._taken[0] > 1.0:
            self._taken.popleft()
        if len(self._taken) >= self.per_second:
            self.refused += 1
            return True
        self._taken.append(clock)
        return False


def test_refusals_after_the_cooldown_count_again() -> None:
    limit = at(4, 8, REFUSED, ago=COOLDOWN.total_seconds())
    assert following(limit, seen(refused=1), 16, NOW) == Limit(2, 4, REFUSED, NOW)
