"""What checking a server says: one result for each check, in order, and what they come to together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Outcome = Literal["pass", "warn", "fail", "skipped"]
State = Literal["healthy", "warning", "failing"]


@dataclass(frozen=True)
class Result:
    """One check. `facts` are shown in its row and in the text of the report, and never hold a secret."""

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
    """Every check of one server. `finished_at` is None while they still run."""

    server_id: UUID
    started_at: datetime
    finished_at: datetime | None
    results: tuple[Result, ...]

    @property
    def state(self) -> State:
        """The worst of the results. What was skipped says nothing by itself."""
        outcomes = {result.outcome for result in self.results}
        if "fail" in outcomes:
            return "failing"
        return "warning" if "warn" in outcomes else "healthy"

    @property
    def first_problem(self) -> Result | None:
        """What to look at first: a failure before a warning, else in the order of the checks."""
        for outcome in ("fail", "warn"):
            for result in self.results:
                if result.outcome == outcome:
                    return result
        return None
