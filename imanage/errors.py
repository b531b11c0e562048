"""What can go wrong between us and an iManage server: one tree, each error with its code, its sentence and its advice.

`sentence` is fit for the person who asked; `remote_message` is what the server said, bounded and without secrets,
for the log and the administrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Retry = Literal["later", "no", "sign_in"]


class ImanageError(Exception):
    """The root. `retry` says what can help: trying later, nothing, or signing in again."""

    code = "imanage.failed"
    sentence = "iManage could not do this."
    retry: Retry = "no"

    def __init__(
        self,
        sentence: str | None = None,
        *,
        code: str | None = None,
        retry: Retry | None = None,
        status: int | None = None,
        remote_code: str | None = None,
        remote_message: str | None = None,
        wait_seconds: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code or type(self).code
        self.sentence = sentence or type(self).sentence
        self.retry = retry or type(self).retry
        self.status = status
        self.remote_code = remote_code
        self.remote_message = remote_message
        self.wait_seconds = wait_seconds
        self.fields = dict(fields or {})
        super().__init__(self.sentence)

    def __str__(self) -> str:
        said = " ".join(filter(None, [self.remote_code, self.remote_message]))
        return f"{self.code}: {self.sentence}" + (f" ({self.status}: {said})" if self.status else "")


class BadIdError(ImanageError, ValueError):
    """An id that no iManage server would give; nothing was sent."""

    code = "imanage.bad_id"

    def __init__(self, text: str) -> None:
        super().__init__(f"“{text[:80]!a}” is not the id of anything in iManage.")


class UnreachableError(ImanageError):
    """No connection, or none that lasted: the server was not asked, or a read went unanswered."""

    code = "imanage.unreachable"
    sentence = "The iManage server could not be reached."
    retry: Retry = "later"


class NotIManageError(ImanageError):
    """Something answered, but not as iManage does: a sign-in page, a proxy's notice, another program."""

    code = "imanage.not_imanage"
    sentence = "The server answered, but not as iManage Work does."


class ProxySignInError(NotIManageError):
    """407: a proxy in between wants a sign-in of its own, and passed nothing on."""

    code = "imanage.not_imanage.proxy"
    sentence = "A proxy between here and the iManage server wants a sign-in of its own."


class SignInRefusedError(ImanageError):
    """The token endpoint said no to a code, a refresh token or our credentials."""

    code = "imanage.sign_in_refused"
    sentence = "iManage refused the sign-in. Sign in again."
    retry: Retry = "sign_in"


class UnauthorisedError(ImanageError):
    """401: the access token is not, or no longer, good."""

    code = "imanage.unauthorised"
    sentence = "Your iManage sign-in has ended. Sign in again."
    retry: Retry = "sign_in"


class ForbiddenError(ImanageError):
    """403: this person may not do this there."""

    code = "imanage.forbidden"
    sentence = "iManage does not let you do this."


class NotFoundError(ImanageError):
    """404: gone, moved, or not for this person to see."""

    code = "imanage.not_found"
    sentence = "iManage cannot find this. It may have been moved or deleted, or you may not see it."


class ConflictError(ImanageError):
    """409 or 423: checked out, in use, or changed by somebody else."""

    code = "imanage.conflict"
    sentence = "The document is in use or has been changed by somebody else in iManage."


class TooLargeError(ImanageError):
    """413: more than the server takes."""

    code = "imanage.too_large"
    sentence = "The file is larger than iManage accepts."


class RejectedError(ImanageError):
    """400, 415 or 422: the server did not accept what was sent. `fields` holds its word per profile field."""

    code = "imanage.rejected"
    sentence = "iManage did not accept this."


class ThrottledError(ImanageError):
    """429: too many calls. `wait_seconds` says how long the server wants to be left alone."""

    code = "imanage.throttled"
    sentence = "iManage is busy and asks us to wait."
    retry: Retry = "later"


class ServerFaultError(ImanageError):
    """5xx to a read: the server failed."""

    code = "imanage.server_fault"
    sentence = "iManage has a fault at the moment."
    retry: Retry = "later"


class OutcomeUnknownError(ImanageError):
    """A write was sent and its answer was lost: it must be looked up before anything is sent again."""

    code = "imanage.outcome_unknown"
    sentence = "The answer from iManage was lost, so it is not known whether the change was made."
    retry: Retry = "later"


class CutStreamError(ImanageError):
    """A download ended early or broke its own promise about its length."""

    code = "imanage.cut_stream"
    sentence = "The download from iManage broke off."
    retry: Retry = "later"


class AnswerTooLargeError(NotIManageError):
    """An answer that never ends, or is far larger than any that iManage gives."""

    code = "imanage.answer_too_large"
    sentence = "The server sent far more than iManage would."


class StoppedError(ImanageError):
    """We stopped on our own side, before the server had everything: nothing was stored."""

    code = "imanage.stopped"
    sentence = "The transfer was stopped."


class SourceFailedError(ImanageError):
    """Our own copy could not be read, or is not the file it was; the upload was broken off before its end."""

    code = "imanage.source_failed"
    sentence = "The file could not be read in full, so nothing was saved to iManage."
