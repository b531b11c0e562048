"""The state of a document's current version compared with its twin in iManage. Pure.

services/guidance/outcomes.py has it in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.guidance.outcomes import TWINS

VISIBLE, GONE, FORBIDDEN = "live", "lost", "forbidden"
"""The access to the twin at the last check, as stored on the link."""
MOVED = "moved"
"""Stored instead of it while the link's server was re-pointed and nobody has checked on the new one."""
RECENT = timedelta(hours=24)
"""How long a check is trusted; after that only a new one can say that nothing is newer."""


class TwinState(StrEnum):
    SAME = "same"
    CHANGED_HERE = "changed_here"
    NEWER = "newer"
    BOTH = "both"
    LOST = "lost"
    NO_ACCESS = "no_access"
    NOT_CHECKED = "not_checked"

    @property
    def label(self) -> str:
        return TWINS[self]


@dataclass(frozen=True)
class Copy:
    """A version here: its number in the document, and its bytes."""

    number: int
    sha256: str


@dataclass(frozen=True)
class KnownCopy:
    """A recorded version in iManage: its version here, and the result of the last check.

    `checksum`: of its bytes when it was recorded. `told`: of the latest version at the last check; empty if unknown.
    """

    here: Copy
    version: int
    was_saved: bool
    latest: int
    access: str
    checked_at: datetime
    checksum: str = ""
    told: str = ""
    is_identical: bool = True
    """Whether the version here has its bytes: a person may have linked two that differ."""


@dataclass(frozen=True)
class TwinFacts:
    """A document here and its twin, by version numbers.

    `here`: the current version here. `held`: the version there with its bytes, None if unknown. `base`: the newest
    version there that matches a version here up to the current one, 0 for none. `latest`: the newest version known
    there. `latest_here`: the version here with its bytes, None if there is none. `came_after`: the latest was saved
    from a version after the current one. `had`: the newest version there that any here was got from or saved to.
    `checksum`: of the latest version there when it was got or saved; `told`: at the last check; empty if unknown.
    """

    here: int
    latest: int
    held: int | None = None
    base: int = 0
    latest_here: int | None = None
    came_after: bool = False
    had: int = 0
    access: str = VISIBLE
    is_recent: bool = True
    checksum: str = ""
    told: str = ""

    @property
    def state(self) -> TwinState:
        return _state(self)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the twin is gone or not visible."""
        return self.access in {GONE, FORBIDDEN}

    @property
    def has_nothing_to_save(self) -> bool:
        """Whether a save would add nothing: the bytes are there, and no older version was made current on purpose."""
        if self.held is None or (self.is_rewritten and self.held == self.latest):
            return False
        return self.held == self.latest or self.latest_here is None

    @property
    def is_rewritten(self) -> bool:
        """Whether the bytes of the latest version there changed since it was here, under the same number."""
        return bool(self.checksum and self.told and self.checksum != self.told)

    @property
    def has_moved_on(self) -> bool:
        """Whether iManage has something that was never here."""
        return self.latest > self.had or self.is_rewritten

    def as_seen(self, latest: int, checksum: str = "") -> TwinFacts:
        """The facts after a check that found `latest` as the latest version, with this checksum if it has one."""
        is_known = latest == self.latest
        return replace(
            self,
            latest=latest,
            latest_here=self.latest_here if is_known else None,
            came_after=self.came_after and is_known,
            access=VISIBLE,
            is_recent=True,
            checksum=self.checksum if is_known else "",
            told=checksum or (self.told if is_known else ""),
        )


def facts_of(current: Copy, known: Sequence[KnownCopy], now: datetime) -> TwinFacts:
    """The facts from all records of one twin, oldest first; a later record of the same version wins."""
    by_version = {each.version: each for each in known}
    last = max(known, key=lambda each: each.checked_at)
    latest = max(each.latest for each in known)
    same = {version: each for version, each in by_version.items() if each.is_identical}
    at_latest = same.get(latest)
    checksum = by_version[latest].checksum if latest in by_version else ""
    return TwinFacts(
        here=current.number,
        latest=latest,
        held=max((v for v, each in same.items() if each.here.sha256 == current.sha256), default=None),
        base=max((v for v, each in same.items() if each.here.number <= current.number), default=0),
        latest_here=at_latest.here.number if at_latest else None,
        came_after=bool(at_latest and at_latest.was_saved and at_latest.here.number > current.number),
        had=max(by_version),
        access=last.access,
        is_recent=now - last.checked_at <= RECENT,
        checksum=checksum,
        told=last.told if last.latest == latest else "",
    )


def _state(facts: TwinFacts) -> TwinState:
    """Lost and no access come first, then differences. *Same* needs a recent check."""
    if facts.access == MOVED:
        return TwinState.NOT_CHECKED
    if facts.access == GONE or (facts.held or 0) > facts.latest:
        return TwinState.LOST
    if facts.access == FORBIDDEN:
        return TwinState.NO_ACCESS
    if facts.held is not None:
        if facts.latest > facts.held or facts.is_rewritten:
            return TwinState.NEWER
        return TwinState.SAME if facts.is_recent else TwinState.NOT_CHECKED
    if facts.came_after:
        return TwinState.NEWER
    has_moved_on = facts.latest > facts.base or facts.is_rewritten
    return TwinState.BOTH if has_moved_on else TwinState.CHANGED_HERE
