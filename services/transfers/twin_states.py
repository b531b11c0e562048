"""What a document's current version and its twin in iManage are to each other: facts in, one state out.

Nothing is looked up here. The list, the document's page, the pop-ups, transfers and tables all say it by these words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

LIVE, GONE, FORBIDDEN = "live", "lost", "forbidden"
"""What iManage said of the twin when it was last asked, as it stands on the link."""
RECENT = timedelta(hours=24)
"""For so long what iManage last said is taken to hold; after that only a new check can say that nothing is newer."""


class TwinState(StrEnum):
    SAME = "same"
    CHANGED_HERE = "changed_here"
    NEWER = "newer"
    BOTH = "both"
    LOST = "lost"
    NO_ACCESS = "no_access"
    NOT_CHECKED = "not_checked"


BADGES: dict[TwinState, tuple[str, str]] = {
    TwinState.SAME: ("Same", "success"),
    TwinState.CHANGED_HERE: ("Changed here", "info"),
    TwinState.NEWER: ("Newer in iManage", "warning"),
    TwinState.BOTH: ("Changed on both sides", "warning"),
    TwinState.LOST: ("Lost", "danger"),
    TwinState.NO_ACCESS: ("No access", "danger"),
    TwinState.NOT_CHECKED: ("Not checked", "neutral"),
}
"""The words of each badge, and its tone."""


@dataclass(frozen=True)
class Copy:
    """A version here: its number in the document, and its bytes."""

    number: int
    sha256: str


@dataclass(frozen=True)
class KnownCopy:
    """A version there that is on record: whose bytes it holds, and what iManage said when it was last asked."""

    here: Copy
    version: int
    was_saved: bool
    latest: int
    access: str
    checked_at: datetime


@dataclass(frozen=True)
class TwinFacts:
    """Of one document here and its twin, by the numbers of versions.

    `here` is the current version. `held` is the version there that has its bytes, None where none is known to.
    `base` is the newest version there that is known to stand at or before it in the document's history, 0 for none.
    `latest` is the newest version there that we know of; `latest_here` the version here with its bytes, None where
    there is none; `came_after` whether the latest was saved from a version that came after the current one; `had` is
    the newest version there that any version here was got from or saved to.
    """

    here: int
    latest: int
    held: int | None = None
    base: int = 0
    latest_here: int | None = None
    came_after: bool = False
    had: int = 0
    access: str = LIVE
    is_recent: bool = True

    @property
    def state(self) -> TwinState:
        return _state(self)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether iManage refuses all that could be done with the twin."""
        return self.access in {GONE, FORBIDDEN}

    @property
    def has_nothing_to_save(self) -> bool:
        """Whether a save would bring nothing new: our bytes are there, and nobody went back to them on purpose."""
        return self.held is not None and (self.held == self.latest or self.latest_here is None)

    def as_seen(self, latest: int) -> TwinFacts:
        """The same, now that iManage shows this as its latest version."""
        is_known = latest == self.latest
        return replace(
            self,
            latest=latest,
            latest_here=self.latest_here if is_known else None,
            came_after=self.came_after and is_known,
            access=LIVE,
            is_recent=True,
        )


def facts_of(current: Copy, known: Sequence[KnownCopy], now: datetime) -> TwinFacts:
    """The facts from all that is on record of one twin, oldest first: of two for one version there the later holds."""
    by_version = {each.version: each for each in known}
    last = max(known, key=lambda each: each.checked_at)
    latest = max(each.latest for each in known)
    at_latest = by_version.get(latest)
    return TwinFacts(
        here=current.number,
        latest=latest,
        held=max((v for v, each in by_version.items() if each.here.sha256 == current.sha256), default=None),
        base=max((v for v, each in by_version.items() if each.here.number <= current.number), default=0),
        latest_here=at_latest.here.number if at_latest else None,
        came_after=bool(at_latest and at_latest.was_saved and at_latest.here.number > current.number),
        had=max(by_version),
        access=last.access,
        is_recent=now - last.checked_at <= RECENT,
    )


def _state(facts: TwinFacts) -> TwinState:
    """What iManage refused comes first; then what differs; *Same* needs that iManage was asked a short while ago."""
    if facts.access == GONE or (facts.held or 0) > facts.latest:
        return TwinState.LOST
    if facts.access == FORBIDDEN:
        return TwinState.NO_ACCESS
    if facts.held is not None:
        if facts.latest > facts.held:
            return TwinState.NEWER
        return TwinState.SAME if facts.is_recent else TwinState.NOT_CHECKED
    if facts.came_after:
        return TwinState.NEWER
    return TwinState.BOTH if facts.latest > facts.base else TwinState.CHANGED_HERE


def sentence(facts: TwinFacts, label: str = "iManage") -> str:
    """The state in a sentence; `label` is what this person calls the server."""
    ours, theirs = f"version {facts.here} here", f"version {facts.latest}"
    match facts.state:
        case TwinState.SAME:
            return f"V{ours[1:]} is {theirs} in {label}, the latest there."
        case TwinState.NOT_CHECKED:
            return f"V{ours[1:]} was {theirs} in {label} at the last check. Check for newer versions."
        case TwinState.NEWER:
            known = f" (version {facts.latest_here} here)" if facts.latest_here else ""
            rest = f"is version {facts.held} there" if facts.held else "is not there"
            return f"{label} has {theirs}{known}. V{ours[1:]}, the current one, {rest}."
        case TwinState.CHANGED_HERE:
            return f"V{ours[1:]} is not in {label}. The latest there is {theirs}."
        case TwinState.BOTH:
            return f"V{ours[1:]} is not in {label}, which now has {theirs}."
        case TwinState.NO_ACCESS:
            return f"The last person to check could not see this document in {label}."
        case TwinState.LOST if facts.access == GONE:
            return f"This document was not found in {label} at the last check."
        case TwinState.LOST:
            return f"Version {facts.held} is no longer in {label}. The latest there is {theirs}."
