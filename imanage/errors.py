"""What can go wrong with an iManage server: one hierarchy; each error has a code, a sentence and a retry policy.

`sentence` is for the log: the application has its own words for people. `remote_message` is the server's own message,
bounded and without secrets, for the log and the administrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Retry = Literal["later", "no", "sign_in"]


class ImanageError(Exception):
    """The base class. `retry` tells what can help: trying later, nothing, or signing in again."""

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
    """A malformed object id; nothing was sent."""

    code = "imanage.bad_id"

    def __init__(self, text: str) -> None:
        super().__init__(f"“{text[:80]!a}” is not a valid iManage ID.")


class UnreachableError(ImanageError):
    """No connection, or one that broke: the request was not sent, or a read got no response."""

    code = "imanage.unreachable"
    sentence = "The iManage server could not be reached."
    retry: Retry = "later"


class NotIManageError(ImanageError):
    """Not a response of iManage: a sign-in page, a proxy's notice, another program."""

    code = "imanage.not_imanage"
    sentence = "The server responded, but not as iManage Work does."


class ProxySignInError(NotIManageError):
    """407: a proxy on the way requires authentication and forwarded nothing."""

    code = "imanage.not_imanage.proxy"
    sentence = "A proxy between Counterpart and the iManage server requires its own sign-in."


class SignInPageError(NotIManageError):
    """The sign-in page of another product, such as that of an application proxy, in place of the API."""

    code = "imanage.not_imanage.sign_in_page"
    sentence = "A sign-in page in front of iManage answered in place of its API."


class NotUnderstoodError(NotIManageError):
    """JSON in a form that is not known: it must not pass for an empty list."""

    code = "imanage.not_imanage.not_understood"
    sentence = "iManage answered in a form that Counterpart does not know."


class SignInRefusedError(ImanageError):
    """The token endpoint rejected a code, a refresh token or the client credentials."""

    code = "imanage.sign_in_refused"
    sentence = "iManage refused the sign-in. Sign in again."
    retry: Retry = "sign_in"


class UnauthorisedError(ImanageError):
    """401, or another answer that says so: the access token is invalid or expired."""

    code = "imanage.unauthorised"
    sentence = "Your iManage sign-in has ended. Sign in again."
    retry: Retry = "sign_in"


class ForbiddenError(ImanageError):
    """403: the user is not permitted to do this."""

    code = "imanage.forbidden"
    sentence = "You do not have permission to do this in iManage."


class NotFoundError(ImanageError):
    """404: deleted, moved, or not visible to the user."""

    code = "imanage.not_found"
    sentence = "iManage cannot find this. It may have been moved or deleted, or you may not have access."


class ConflictError(ImanageError):
    """409: it contradicts what is there, such as a document of the same name."""

    code = "imanage.conflict"
    sentence = "This is in conflict with what is in iManage."


class CheckedOutError(ConflictError):
    """423, or a refusal that says so: someone has the document checked out or in use."""

    code = "imanage.conflict.checked_out"
    sentence = "The document is checked out or in use in iManage."


class IndexUnavailableError(ImanageError):
    """The search index is not available. Folders can still be opened."""

    code = "imanage.index_unavailable"
    sentence = "iManage cannot search at the moment."
    retry: Retry = "later"


class TooLargeError(ImanageError):
    """413: larger than the server accepts."""

    code = "imanage.too_large"
    sentence = "The file is larger than iManage accepts."


class RejectedError(ImanageError):
    """400, 415 or 422: the request was not accepted. `fields` holds the server's message for each profile field."""

    code = "imanage.rejected"
    sentence = "iManage did not accept this."


class ThrottledError(ImanageError):
    """429: too many requests. `wait_seconds` is the time until the server's limit resets."""

    code = "imanage.throttled"
    sentence = "iManage is busy. Try again later."
    retry: Retry = "later"


class ServerFaultError(ImanageError):
    """5xx in response to a read."""

    code = "imanage.server_fault"
    sentence = "iManage has a problem at the moment."
    retry: Retry = "later"


class OutcomeUnknownError(ImanageError):
    """A write was sent and its response was lost: resolve the outcome before sending it again."""

    code = "imanage.outcome_unknown"
    sentence = "iManage’s response was lost, so we do not know whether the change was made."
    retry: Retry = "later"


class CutStreamError(ImanageError):
    """A download ended early or did not have the announced length."""

    code = "imanage.cut_stream"
    sentence = "The download from iManage was interrupted."
    retry: Retry = "later"


class AnswerTooLargeError(NotIManageError):
    """A response that never ends, or is far larger than any of iManage's."""

    code = "imanage.answer_too_large"
    sentence = "The server sent far more data than iManage would."


class SourceFailedError(ImanageError):
    """The local copy could not be read, or has changed; the upload was aborted before its end."""

    code = "imanage.source_failed"
    sentence = "Counterpart could not read the whole file, so nothing was saved to iManage."
