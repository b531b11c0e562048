"""One attempt at copying: into the store, or out of it. Constant memory, hashed on the way, proved at the end."""

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
"""What a source without a size may send before we take it for one that never ends."""


def fetch(
    source: Source,
    store: BlobStore,
    partial_token: str,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
    inspect: Callable[[BlobWriter], None] = lambda _whole: None,
) -> Fetched:
    """Copy a source into the store and publish it when it is whole and `inspect` lets it in.

    After any error but Different and Rejected the bytes so far are kept under the token for the next attempt.
    """
    _stop_if_asked(should_stop)
    facts = source.describe()
    with store.partial(partial_token, facts.size) as partial:
        # Bytes of an earlier attempt are trusted only where the checksum of the whole will judge them.
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
    """Send what the intent announced, once, unless it would run over somebody's work; then compare.

    Uncertain means look up before anything else. StoredDifferentError means that it is there, and is not the same.
    """
    _stop_if_asked(should_stop)
    facts = source.describe()
    if facts.sha256 != intent.sha256:
        raise DifferentContentError("SHA-256", intent.sha256, facts.sha256 or "unknown")
    destination.check(intent)
    _stop_if_asked(should_stop)
    receipt = destination.send(intent, source, on_progress=on_progress, should_stop=should_stop)
    _require_same(intent, receipt)
    return receipt


def _pour(
    source: Source, facts: SourceFacts, partial: BlobWriter, on_progress: OnProgress, should_stop: ShouldStop
) -> bool:
    """Whether the end that was reached is known to be the end of all that the source sent."""
    with source.open(partial.size) as stream:
        if partial.size and not stream.resumed:
            partial.restart()
        on_progress(Progress(partial.size, facts.size))
        while count := stream.readinto(partial.buffer()):
            _stop_if_asked(should_stop)
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
    """The checksum goes before the size: what has it is the document, whatever its profile says of its size."""
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
    """The checksum goes before the size, as in a get."""
    stored = receipt.present
    if stored.sha256 is not None and stored.sha256 == intent.sha256:
        return
    if stored.size is not None and stored.size != intent.size:
        raise StoredDifferentError(stored, "size", f"{intent.size:,}", f"{stored.size:,}")
    if stored.sha256 is not None and stored.sha256 != intent.sha256:
        raise StoredDifferentError(stored, "SHA-256", intent.sha256, stored.sha256)


def _stop_if_asked(should_stop: ShouldStop) -> None:
    if reason := should_stop():
        raise StoppedError(reason)
