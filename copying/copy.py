"""One attempt at copying: into the store, or out of it. Constant memory, hashed on the way, proved at the end."""

import time
from collections.abc import Callable

from copying.errors import (
    CutShortError,
    DifferentContentError,
    RejectedError,
    StoppedError,
    StoredDifferentError,
    TooLongError,
)
from copying.ports import Destination, OnProgress, ShouldStop, Source, ignore, never
from copying.values import Fetched, Intent, Progress, Receipt, SourceFacts
from storage import BlobStore, BlobWriter

MOST = 64 << 30
"""The most that a source without a size may send before it counts as endless."""


def fetch(
    source: Source,
    store: BlobStore,
    partial_token: str,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
    inspect: Callable[[BlobWriter], None] = lambda _whole: None,
) -> Fetched:
    """Copy a source into the store and publish it when it is complete and `inspect` accepts it.

    Bytes that differ from a list said are compared with what the source says now.
    After any error but DifferentContentError and RejectedError, the bytes so far are kept for the next attempt.
    """
    require_not_stopped(should_stop)
    facts = source.describe()
    try:
        return _fetch(source, facts, store, partial_token, on_progress, should_stop, inspect)
    except DifferentContentError:
        if not facts.is_listed:
            raise
        present = source.describe()
        if (present.size, present.sha256) == (facts.size, facts.sha256):
            raise
    require_not_stopped(should_stop)
    return _fetch(source, present, store, partial_token, on_progress, should_stop, inspect)


def _fetch(
    source: Source,
    facts: SourceFacts,
    store: BlobStore,
    partial_token: str,
    on_progress: OnProgress,
    should_stop: ShouldStop,
    inspect: Callable[[BlobWriter], None],
) -> Fetched:
    with store.partial(partial_token, facts.size) as partial:
        # Bytes of an earlier attempt are kept only if a checksum of the whole will verify them.
        if partial.size and (facts.sha256 is None or _exceeds(partial.size, facts)):
            partial.restart()
        framed = True
        if not partial.size or partial.size != facts.size:
            framed = _pour(source, facts, partial, on_progress, should_stop)
        _require_whole(partial, facts, framed)
        try:
            inspect(partial)
        except RejectedError:
            partial.restart()
            raise
        blob = partial.publish()
    return Fetched(blob.sha256, blob.size, facts)


def send(
    source: Source,
    destination: Destination,
    intent: Intent,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> Receipt:
    """Send once what the intent announced, unless it would overwrite another person's work; then compare.

    After UncertainOutcomeError resolve the outcome first. StoredDifferentError: it was stored, with other bytes.
    """
    require_not_stopped(should_stop)
    facts = source.describe()
    if facts.sha256 != intent.sha256:
        raise DifferentContentError("SHA-256", intent.sha256, facts.sha256 or "unknown")
    destination.check(intent)
    require_not_stopped(should_stop)
    receipt = destination.send(intent, source, on_progress=on_progress, should_stop=should_stop)
    _require_same(intent, receipt)
    return receipt


def throttled(
    seconds: float, should_stop: ShouldStop, clock: Callable[[], float] = time.monotonic
) -> ShouldStop:
    """`should_stop`, called at most once in `seconds`, first after as many. A reason to stop is final."""
    last = clock()
    reason: str | None = None

    def ask() -> str | None:
        nonlocal last, reason
        now = clock()
        if reason is None and now - last >= seconds:
            last = now
            reason = should_stop()
        return reason

    return ask


def _pour(
    source: Source, facts: SourceFacts, partial: BlobWriter, on_progress: OnProgress, should_stop: ShouldStop
) -> bool:
    """Copy the stream; returns whether its end is known to be the end of the document."""
    with source.open(partial.size) as stream:
        if partial.size and not stream.resumed:
            partial.restart()
        on_progress(Progress(partial.size, facts.size))
        while count := stream.readinto(partial.buffer()):
            require_not_stopped(should_stop)
            if _exceeds(partial.size + count, facts):
                partial.restart()
                raise (
                    DifferentContentError("size", f"{facts.size:,}", "more")
                    if facts.size is not None
                    else TooLongError(MOST)
                )
            partial.advance(count)
            on_progress(Progress(partial.size, facts.size))
        return stream.framed


def _exceeds(size: int, facts: SourceFacts) -> bool:
    return size > (MOST if facts.size is None else facts.size)


def _require_whole(partial: BlobWriter, facts: SourceFacts, framed: bool) -> None:
    """The checksum decides before the size: with the right one it is the document, whatever size its profile has."""
    if facts.sha256 is not None and partial.sha256 == facts.sha256:
        return
    if facts.size is not None and partial.size < facts.size:
        if not framed:
            raise CutShortError(partial.size, facts.size)
        size = partial.size
        partial.restart()
        raise DifferentContentError("size", f"{facts.size:,}", f"{size:,}")
    if facts.sha256 is not None and partial.sha256 != facts.sha256:
        got = partial.sha256
        partial.restart()
        raise DifferentContentError("SHA-256", facts.sha256, got)


def _require_same(intent: Intent, receipt: Receipt) -> None:
    """The checksum decides before the size, as in a get."""
    stored = receipt.present
    if stored.sha256 is not None and stored.sha256 == intent.sha256:
        return
    if stored.size is not None and stored.size != intent.size:
        raise StoredDifferentError(receipt, "size", f"{intent.size:,}", f"{stored.size:,}")
    if stored.sha256 is not None and stored.sha256 != intent.sha256:
        raise StoredDifferentError(receipt, "SHA-256", intent.sha256, stored.sha256)


def require_not_stopped(should_stop: ShouldStop) -> None:
    """Raises StoppedError."""
    if reason := should_stop():
        raise StoppedError(reason)
