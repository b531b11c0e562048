"""The values of a transfer, all frozen. An Intent can be kept as a row and comes back the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

TargetKind = Literal["new_document", "new_version", "replace"]


@dataclass(frozen=True)
class SourceFacts:
    """What a source says of its bytes before they come. `label` names it to a person."""

    name: str
    extension: str
    size: int | None
    sha256: str | None
    label: str


@dataclass(frozen=True)
class Fetched:
    """What was copied and published, and what the source had said of it."""

    sha256: str
    size: int
    facts: SourceFacts


@dataclass(frozen=True)
class Progress:
    """How far a copy is. `total` is None where the source gives no size."""

    done: int
    total: int | None


@dataclass(frozen=True)
class Known:
    """A version that was there before we sent anything. Its comment is looked at once, and not put on record."""

    id: str
    sha256: str | None
    comment: str | None = None


@dataclass(frozen=True)
class Intent:
    """What is to be sent, and what was there before: on record before the first byte."""

    kind: TargetKind
    target_id: str
    name: str
    extension: str
    size: int
    sha256: str
    operator: str | None
    announced_at: datetime
    baseline: tuple[Known, ...] = ()
    mark: str | None = None
    comment: str | None = None
    needs_mark: bool = False
    """Whether only the mark can tell ours: what was there before was read a moment before the announcement."""

    def record(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return asdict(self) | {
            "announced_at": self.announced_at.isoformat(),
            "baseline": [[known.id, known.sha256] for known in self.baseline],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Intent":
        values = dict(record)
        values["announced_at"] = datetime.fromisoformat(values["announced_at"])
        values["baseline"] = tuple(Known(*pair) for pair in values["baseline"])
        return cls(**values)


@dataclass(frozen=True)
class Present:
    """A version as iManage shows it now: a candidate for what an unanswered send became."""

    id: str
    version: int
    name: str
    extension: str
    size: int | None
    sha256: str | None
    operator: str | None
    created_at: datetime | None
    edited_at: datetime | None
    comment: str | None = None


@dataclass(frozen=True)
class Receipt:
    """What the destination says it now holds, in its own words, and its complaints."""

    present: Present
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """It is there: the send had succeeded."""

    present: Present
    because: str


@dataclass(frozen=True)
class Absent:
    """It is not there, so sending again makes no double."""

    because: str


@dataclass(frozen=True)
class Undecided:
    """Looking cannot tell. Either look again after so many seconds, or ask a person and show the candidates."""

    because: str
    candidates: tuple[Present, ...] = ()
    again_after: float | None = None


Outcome = Found | Absent | Undecided
