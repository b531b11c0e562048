"""What stops a copy. Each error has a code, whose words are in services/guidance, and a retry policy.

Its attributes fill the braces of the words; `what` chooses between several. The errors of the store and of iManage
have a code and a retry policy too, and pass through as they are.
"""

from datetime import datetime
from typing import Literal

from copying.values import Receipt
from imanage.ids import VersionId

Retry = Literal["later", "no", "sign_in", "resolve", "space"]


class TransferError(Exception):
    """The base of the engine's own errors."""

    code: str
    what: str = ""
    retry: Retry = "no"
    wait_seconds: float | None = None
    most_attempts: int | None = None
    """Fewer attempts than the policy's, where trying again is dear and seldom helps."""


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
        super().__init__(got, expected)


class RejectedError(TransferError):
    """The inspection of the complete file rejected it. The partial file is discarded."""


class TooLongError(TransferError):
    """A source that gives no size and does not end."""

    code = "transfer.too_long"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)


class DifferentContentError(TransferError):
    """What arrived is whole and is not what was promised. It is discarded."""

    code = "transfer.different"
    retry: Retry = "later"
    most_attempts: int | None = 3

    def __init__(self, what: Literal["size", "SHA-256"], expected: str, got: str) -> None:
        self.what, self.expected, self.got = what, expected, got
        super().__init__(what, expected, got)


class EmptyContentError(TransferError):
    """A document of no bytes. Nothing is wrong with the copy; an empty file is no document here."""

    code = "transfer.empty"


class StoredDifferentError(TransferError):
    """iManage says it stored something else than was sent. A person has to look; sending again would double it."""

    code = "transfer.stored_different"

    def __init__(self, receipt: Receipt, what: Literal["size", "SHA-256"], sent: str, stored: str) -> None:
        self.receipt, self.present = receipt, receipt.present
        self.what, self.sent, self.stored = what, sent, stored
        super().__init__(receipt.present.id, what, sent, stored)


class UncertainOutcomeError(TransferError):
    """Bytes were on their way and no answer came: it may be stored or not. It is resolved, never sent again unchecked.

    `cause` is what broke the send off. When it turns out Absent, the cause decides what comes next.
    """

    code = "transfer.uncertain"
    retry: Retry = "resolve"

    def __init__(self, cause: Exception | None = None) -> None:
        self.cause = cause
        super().__init__(cause)

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
        super().__init__(id, holder, since)


class MovedOnError(TransferError):
    """iManage has a newer state than the one this save was decided on. Nothing was sent."""

    code = "transfer.moved_on"

    def __init__(self, expected: VersionId | None, found: VersionId) -> None:
        self.expected, self.found = expected, found
        super().__init__(expected, found)
