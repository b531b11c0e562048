"""What stops a copy. Each error has a code, a sentence for the person, and what to do about it.

The errors of the store and of iManage have the same four attributes and pass through as they are.
"""

from datetime import datetime
from typing import Literal

from copying.values import Present
from imanage.ids import VersionId

Retry = Literal["later", "no", "sign_in", "resolve", "space"]


class TransferError(Exception):
    """The base of the engine's own errors."""

    code = "transfer.failed"
    next_step = "Try again. If it happens again, tell your System Admin."
    retry: Retry = "no"
    wait_seconds: float | None = None
    most_attempts: int | None = None
    """Fewer attempts than the policy's, where trying again is dear and seldom helps."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class StoppedError(TransferError):
    """The caller asked to stop. What is complete stays; the rest is kept for resuming or discarded by the caller."""

    code = "transfer.stopped"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class CutShortError(TransferError):
    """The stream ended early. The next attempt resumes from there where the source supports it."""

    code = "transfer.cut_short"
    retry: Retry = "later"

    def __init__(self, got: int, expected: int) -> None:
        self.got, self.expected = got, expected
        super().__init__(f"The connection ended after {got:,} of {expected:,} bytes.")


class RejectedError(TransferError):
    """The inspection of the complete file rejected it. The partial file is discarded."""

    code = "transfer.rejected"


class TooLongError(TransferError):
    """A source that gives no size and does not end."""

    code = "transfer.too_long"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"The document is larger than {limit:,} bytes, the most that can be copied.")


class DifferentContentError(TransferError):
    """What arrived is whole and is not what was promised. It is discarded."""

    code = "transfer.different"
    next_step = "Compare it in iManage. Ask the iManage admin to correct its profile, then get it again."
    retry: Retry = "later"
    most_attempts: int | None = 3

    def __init__(self, what: Literal["size", "SHA-256"], expected: str, got: str) -> None:
        self.what, self.expected, self.got = what, expected, got
        said = (
            f"iManage lists {expected} bytes but sent {got}"
            if what == "size"
            else "What iManage sent does not match its checksum"
        )
        super().__init__(f"{said}. Nothing was kept.")


class EmptyContentError(TransferError):
    """A document of no bytes. Nothing is wrong with the copy; an empty file is no document here."""

    code = "transfer.empty"
    next_step = "Open it in iManage, and get it again when it has content."

    def __init__(self) -> None:
        super().__init__("This document is empty (0 bytes) in iManage, so it was not added.")


class StoredDifferentError(TransferError):
    """iManage says it stored something else than was sent. A person has to look; sending again would double it."""

    code = "transfer.stored_different"
    next_step = "Open it in iManage and compare, then choose. If it is wrong, leave it as is and save again."

    def __init__(self, present: Present, what: Literal["size", "SHA-256"], sent: str, stored: str) -> None:
        self.present, self.what, self.sent, self.stored = present, what, sent, stored
        super().__init__(
            f"iManage stored {present.id} with {stored} bytes, and {sent} were sent."
            if what == "size"
            else f"iManage stored {present.id}, but its checksum is not that of the file that was sent."
        )


class UncertainOutcomeError(TransferError):
    """Bytes were on their way and no answer came: it may be stored or not. It is resolved, never sent again unchecked.

    `cause` is what broke the send off. When it turns out Absent, the cause decides what comes next.
    """

    code = "transfer.uncertain"
    retry: Retry = "resolve"

    def __init__(self, cause: Exception | None = None) -> None:
        self.cause = cause
        super().__init__("iManage did not say whether it stored the document.")

    @property
    def last_word(self) -> Exception | None:
        """The cause that sending again would only meet again; None where it may pass by itself."""
        causes = (self.cause, getattr(self.cause, "__cause__", None))
        return next((each for each in causes if getattr(each, "retry", "later") == "no"), None)


class CheckedOutError(TransferError):
    """Someone is working on the document. Nothing was sent."""

    code = "transfer.checked_out"

    def __init__(self, id: VersionId, holder: str | None, since: datetime | None) -> None:
        self.id, self.holder, self.since = id, holder, since
        who = f"by {holder}" if holder else "by someone else"
        when = f" since {since:%d %B %Y, %H:%M} UTC" if since else ""
        super().__init__(f"The document is checked out in iManage {who}{when}. Nothing was overwritten.")


class MovedOnError(TransferError):
    """iManage has a newer state than the one this save was decided on. Nothing was sent."""

    code = "transfer.moved_on"

    def __init__(self, expected: VersionId | None, found: VersionId) -> None:
        self.expected, self.found = expected, found
        known = f" The copy here is based on {expected}." if expected else ""
        super().__init__(f"The document has a newer version in iManage, {found}.{known} Nothing was sent.")
