"""The ports of the engine: the protocols of a source and a destination."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from copying.values import Intent, Known, Progress, Receipt, Resolution, SourceFacts
from imanage.ids import VersionId

OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], str | None]
"""Read between chunks: the reason to stop, as a sentence, or None to continue."""


class Stream(Protocol):
    """An incoming stream. `resumed`: it begins at the requested offset, not at 0.

    `framed`: its end is the end of the content, and a truncated stream raises an error.
    """

    @property
    def resumed(self) -> bool: ...

    @property
    def framed(self) -> bool: ...

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and return the number of bytes, 0 at the end. Returns early on a slow connection."""


class Source(Protocol):
    """Where bytes come from."""

    def describe(self) -> SourceFacts:
        """Read the facts again: they may have changed since the last attempt."""

    def open(self, offset: int = 0) -> AbstractContextManager[Stream]:
        """The bytes from `offset`, or from the beginning where the source cannot resume."""


class Destination(Protocol):
    """Where bytes are saved to."""

    def baseline(self) -> tuple[Known, ...]:
        """What the target holds now; it is committed with the intent."""

    def check(self, intent: Intent) -> None:
        """Raise CheckedOutError or MovedOnError when sending would overwrite another person's work."""

    def send(
        self, intent: Intent, source: Source, *, on_progress: OnProgress, should_stop: ShouldStop
    ) -> Receipt:
        """Send once. Raises UncertainOutcomeError when it may have been stored; any other error means it was not."""

    def resolve(
        self,
        intent: Intent,
        *,
        now: datetime,
        last_sent_at: datetime | None,
        claimed: Collection[VersionId] = (),
    ) -> Resolution:
        """Resolve the outcome of an unanswered send. `claimed`: versions known to come from other saves."""


def ignore(_progress: Progress) -> None:
    """An OnProgress that does nothing."""


def never() -> str | None:
    """A ShouldStop that never stops."""
    return None
