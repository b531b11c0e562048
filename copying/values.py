"""The values of the copying engine, all frozen. An Intent survives the way into a row and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from imanage.ids import VersionId, container_id

TargetKind = Literal["new_document", "new_version", "replace"]


@dataclass(frozen=True)
class NewDocument:
    """A folder that gets a new document."""

    kind: ClassVar[TargetKind] = "new_document"
    folder_id: str

    def __str__(self) -> str:
        return self.folder_id


@dataclass(frozen=True)
class NewVersion:
    """A document that gets a new version; `onto` is the one that the save was decided on."""

    kind: ClassVar[TargetKind] = "new_version"
    onto: VersionId

    def __str__(self) -> str:
        return str(self.onto)


@dataclass(frozen=True)
class Replace:
    """A version, the latest of its document, that gets other content."""

    kind: ClassVar[TargetKind] = "replace"
    onto: VersionId

    def __str__(self) -> str:
        return str(self.onto)


Target = NewDocument | NewVersion | Replace


def target(kind: str, id: str) -> Target:
    """The target from its kind and id, as stored in a row or sent by a form. Raises BadIdError."""
    match kind:
        case "new_document":
            return NewDocument(container_id(id))
        case "new_version":
            return NewVersion(VersionId.parse(id))
        case "replace":
            return Replace(VersionId.parse(id))
    raise ValueError(f"{kind} is no kind of target")


@dataclass(frozen=True)
class SourceFacts:
    """What a source says of its bytes before they are read. `label` is for people.

    `is_listed`: an earlier list said so, and the source can be asked again.
    """

    name: str
    extension: str
    size: int | None
    sha256: str | None
    label: str
    is_listed: bool = False


@dataclass(frozen=True)
class Fetched:
    """What was copied and published, and the facts from its source."""

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
    """A version that was there before we sent anything. Comment and name are not recorded."""

    id: VersionId
    sha256: str | None
    comment: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Intent:
    """What is to be sent, and what was there before: committed before the first byte leaves."""

    target: Target
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
    """Whether only the mark proves a version ours, because the baseline is older than the announcement."""
    profile: Mapping[str, str] = field(default_factory=dict)
    """Further fields of a new document."""

    def record(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        values = asdict(self) | {
            "kind": self.target.kind,
            "target_id": str(self.target),
            "announced_at": self.announced_at.isoformat(),
            "baseline": [[str(known.id), known.sha256] for known in self.baseline],
        }
        del values["target"]
        return values

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Intent":
        values = dict(record)
        values["announced_at"] = datetime.fromisoformat(values["announced_at"])
        values["baseline"] = tuple(Known(VersionId.parse(id), sha256) for id, sha256 in values["baseline"])
        values["target"] = target(values.pop("kind"), values.pop("target_id"))
        return cls(**values)


@dataclass(frozen=True)
class Present:
    """A version as iManage shows it now: it could be the result of an unanswered send."""

    id: VersionId
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
    """The stored version and the warnings in the destination's answer to a send."""

    present: Present
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The send succeeded."""

    present: Present
    because: str


@dataclass(frozen=True)
class Absent:
    """The send did not succeed, so sending again creates no duplicate."""

    because: str


@dataclass(frozen=True)
class Undecided:
    """Unknown. Check again after `again_after` seconds or, if that is None, ask the member about the candidates."""

    because: str
    candidates: tuple[Present, ...] = ()
    again_after: float | None = None


Resolution = Found | Absent | Undecided
