"""Reading what a server answered: bounded JSON, refusals with their words, and faults of the line."""

from __future__ import annotations

import json
import math
import ssl
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from .dialling import OutboundBlockedError
from .errors import (
    AnswerTooLargeError,
    ConflictError,
    ForbiddenError,
    ImanageError,
    NotFoundError,
    NotIManageError,
    OutcomeUnknownError,
    ProxySignInError,
    RejectedError,
    ServerFaultError,
    ThrottledError,
    TooLargeError,
    UnauthorisedError,
    UnreachableError,
)
from .guard import Cap, Limits

_PIECE = 64 * 1024
_MAX_REFUSAL = 64 * 1024
_MOST_VALUES = 10_000
_MAX_WORDS = 300
_DEFAULT_WAIT = 5.0
_LONGEST_WAIT = 3600.0

_BY_STATUS: Mapping[int, type[ImanageError]] = {
    401: UnauthorisedError,
    403: ForbiddenError,
    404: NotFoundError,
    407: ProxySignInError,
    410: NotFoundError,
    409: ConflictError,
    423: ConflictError,
    413: TooLargeError,
    429: ThrottledError,
}


def read_body(response: requests.Response, limit: int, seconds: float) -> bytes:
    """The whole body, if it ends within `limit` bytes and `seconds`. Line faults come out as RequestException."""
    pieces: list[bytes] = []
    size = 0
    end = time.monotonic() + seconds
    try:
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise AnswerTooLargeError(status=response.status_code)
            if time.monotonic() > end:
                raise requests.exceptions.ReadTimeout("the answer took too long")
    except (HTTPError, OSError, ValueError) as error:
        if isinstance(error, requests.RequestException | ImanageError):
            raise
        raise requests.exceptions.ConnectionError(error) from error
    finally:
        response.close()
    return b"".join(pieces)


def read_json(response: requests.Response, limits: Limits, cap: Cap | None = None) -> Any:
    """The JSON of an answer, capped as a listing if no other way; None for an empty one. Else it is not iManage."""
    cap = cap or limits.listing
    body = read_body(response, cap.bytes, limits.total_seconds)
    if not body.strip():
        return None
    return parse_json(body, response.status_code, cap.values)


def parse_json(body: bytes, status: int, most_values: int = _MOST_VALUES) -> Any:
    """JSON, or NotIManageError. Raises AnswerTooLargeError before anything is made of more values than these."""
    if _values(body) > most_values:
        raise AnswerTooLargeError(status=status)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotIManageError(status=status) from None


def _values(body: bytes) -> int:
    """How many values a JSON text holds, or a few more: those in its strings count too.

    A value is the first of an object or list, or stands behind a comma; four megabytes can hold two million, which
    take Python twenty times that room and seconds under its lock.
    """
    return sum(map(body.count, (b",", b"{", b"[")))


def refusal(response: requests.Response, limits: Limits, secrets: Iterable[str] = ()) -> ImanageError:
    """The error that a non-2xx answer stands for, with the server's own words, bounded and without secrets."""
    status = response.status_code
    try:
        body = read_body(response, _MAX_REFUSAL, limits.read_seconds)
        payload = parse_json(body, status)
    except (requests.RequestException, ImanageError):
        payload = None
    code, message, fields = words(payload, secrets)
    kind = _BY_STATUS.get(status)
    wait = wait_of(response.headers) if status in {429, 503} else None
    if status == 429 and wait is None:
        wait = _DEFAULT_WAIT
    if kind is None:
        kind = ServerFaultError if status >= 500 else RejectedError if status >= 400 else NotIManageError
    return kind(
        code="imanage.redirected" if 300 <= status < 400 else None,
        status=status,
        remote_code=code,
        remote_message=message,
        fields=fields,
        wait_seconds=wait,
    )


def words(payload: Any, secrets: Iterable[str] = ()) -> tuple[str | None, str | None, dict[str, str]]:
    """Code, message and per-field messages of an error envelope in any of the shapes that have been seen."""
    top = payload if isinstance(payload, dict) else {}
    error = top.get("error")
    inner = error if isinstance(error, dict) else {}
    code = inner.get("code") or top.get("code") or (error if isinstance(error, str) else None)
    message = (
        inner.get("message")
        or inner.get("code_message")
        or top.get("error_description")
        or top.get("message")
        or top.get("code_message")
    )
    rows = inner.get("messages") or top.get("messages")
    fields = {
        clean(row["field"], secrets): clean(
            row.get("code_message") or row.get("message") or row.get("code"), secrets
        )
        for row in (rows[:50] if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("field")
    }
    return clean(code, secrets) or None, clean(message, secrets) or None, fields


def clean(value: Any, secrets: Iterable[str] = ()) -> str:
    """A server's words made fit for a log line: one line, bounded, no secret of ours in it."""
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    return "".join(sign if sign.isprintable() else " " for sign in text[:_MAX_WORDS]).strip()


def wait_of(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to be left alone: `Retry-After`, else `x-ratelimit-reset`.

    Where it names a moment, that counts from the server's own `Date`: its clock and ours need not agree.
    """
    now = _moment(headers.get("Date") or "") or datetime.now(UTC)
    for name in ("Retry-After", "x-ratelimit-reset"):
        seconds = _seconds(headers.get(name), now)
        if seconds is not None:
            return min(max(seconds, 0.0), _LONGEST_WAIT)
    return None


def _seconds(text: str | None, now: datetime) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        moment = _moment(text)
        return None if moment is None else (moment - now).total_seconds()
    if not math.isfinite(number):
        return None
    # A number this large can only be a moment in time.
    return number - now.timestamp() if number > 1_000_000_000 else number


def _moment(text: str) -> datetime | None:
    """A date as HTTP writes it."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def line_fault(error: requests.RequestException) -> UnreachableError | OutboundBlockedError:
    """What a failed connection or a lost answer means, in our words."""
    if isinstance(error, requests.exceptions.InvalidSchema):
        return OutboundBlockedError(code="imanage.blocked.scheme")
    reason = _reason(error)
    if isinstance(reason, NameResolutionError):
        return UnreachableError(
            "The name of the iManage server cannot be found.", code="imanage.unreachable.name_not_found"
        )
    if isinstance(error, requests.exceptions.SSLError):
        return UnreachableError(
            "The iManage server could not prove who it is: its certificate was not accepted.",
            code="imanage.unreachable.tls",
            retry="no",
        )
    if isinstance(reason, NewConnectionError):
        return UnreachableError(code="imanage.unreachable.refused")
    if isinstance(error, requests.exceptions.Timeout) or isinstance(
        reason, ConnectTimeoutError | ReadTimeoutError | TimeoutError
    ):
        return UnreachableError(code="imanage.unreachable.silent")
    return UnreachableError(code="imanage.unreachable.reset")


def nothing_sent(error: requests.RequestException) -> bool:
    """Whether the fault came before a single byte of the request could have gone out."""
    reason = _reason(error)
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return True
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidSchema):
        return True
    return isinstance(_root(error), ssl.SSLCertVerificationError)


def lost_answer(error: ImanageError) -> OutcomeUnknownError:
    """A write that was sent and not clearly answered."""
    return OutcomeUnknownError(
        status=error.status,
        remote_code=error.remote_code,
        remote_message=error.remote_message,
        wait_seconds=error.wait_seconds,
    )


def _reason(error: requests.RequestException) -> BaseException | None:
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else None
    return inner.reason if isinstance(inner, MaxRetryError) else inner


def _root(error: requests.RequestException) -> BaseException | None:
    """The innermost exception that urllib3 wrapped."""
    inner: BaseException | None = _reason(error)
    while inner is not None and inner.args and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    return inner
