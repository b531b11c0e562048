"""The ports of the engine: what a source and a destination have to offer."""

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
    """Bytes that are coming in. `resumed` says whether they begin at the offset asked for, or at nothing.

    Where they are `framed`, their end is the end of all that was to come, and a cut is an error.
    """

    @property
    def resumed(self) -> bool: ...

    @property
    def framed(self) -> bool: ...

    def readinto(self, buffer: memoryview, /) -> int:
        """Read the next bytes into the buffer; returns how many, 0 at the end. It is filled unless they come slowly."""


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
        """What became of an unanswered send. `claimed` are the ids that other sends are known to have made."""


def ignore(_progress: Progress) -> None:
    """No one wants to know."""


def never() -> str | None:
    """No one says stop."""
    return None
