"""The report of a server's checks: one result for each check, in order, and the state they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Outcome = Literal["pass", "warn", "fail", "skipped"]
State = Literal["healthy", "warning", "failing"]


@dataclass(frozen=True)
class Result:
    """One check. `facts` are shown on the page and in the text report, and never contain a secret."""

    key: str
    group: str
    title: str
    outcome: Outcome
    seconds: float
    code: str = ""
    sentence: str = ""
    cause: str = ""
    next_step: str = ""
    owner: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Report:
    """Every check of one server. `finished_at` is None while they run."""

    server_id: UUID
    started_at: datetime
    finished_at: datetime | None
    results: tuple[Result, ...]

    @property
    def state(self) -> State:
        """The worst of the results; skipped checks do not count."""
        outcomes = {result.outcome for result in self.results}
        if "fail" in outcomes:
            return "failing"
        return "warning" if "warn" in outcomes else "healthy"

    @property
    def first_problem(self) -> Result | None:
        """The first failure, else the first warning."""
        for outcome in ("fail", "warn"):
            for result in self.results:
                if result.outcome == outcome:
                    return result
        return None
