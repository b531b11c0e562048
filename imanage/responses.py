"""Reads responses: JSON within limits, lists, error envelopes, and what a failed connection means."""

from __future__ import annotations

import json
import math
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from . import sign_in_pages
from .dialling import OutboundBlockedError
from .errors import (
    AnswerTooLargeError,
    CheckedOutError,
    ConflictError,
    ForbiddenError,
    ImanageError,
    NotFoundError,
    NotIManageError,
    NotUnderstoodError,
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
from .profiles import number
from .proxies import TunnelError
from .refusals import meaning, read_refusal
from .types import Page

T = TypeVar("T")

_CHUNK = 64 * 1024
_MAX_ERROR_BODY = 64 * 1024
_MAX_VALUES = 10_000
_DEFAULT_WAIT = 5.0
_MAX_WAIT = 3600.0

_BESIDE_DATA = frozenset({"total_count", "overflow", "cursor", "warnings"})
_OF_A_ROW = frozenset({"id", "alias", "target"})
_BY_STATUS: Mapping[int, type[ImanageError]] = {
    401: UnauthorisedError,
    403: ForbiddenError,
    404: NotFoundError,
    407: ProxySignInError,
    410: NotFoundError,
    409: ConflictError,
    423: CheckedOutError,
    413: TooLargeError,
    429: ThrottledError,
}


def read_body(response: requests.Response, limit: int, seconds: float) -> bytes:
    """The whole body, at most `limit` bytes within `seconds`. Connection faults are raised as RequestException."""
    pieces: list[bytes] = []
    size = 0
    end = time.monotonic() + seconds
    try:
        while piece := response.raw.read1(_CHUNK, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise AnswerTooLargeError(status=response.status_code)
            if time.monotonic() > end:
                raise requests.exceptions.ReadTimeout("the response took too long")
    except (HTTPError, OSError, ValueError) as error:
        if isinstance(error, requests.RequestException | ImanageError):
            raise
        raise requests.exceptions.ConnectionError(error) from error
    finally:
        response.close()
    return b"".join(pieces)


def read_json(response: requests.Response, limits: Limits, cap: Cap | None = None) -> Any:
    """The JSON of a response, or None for an empty body. The limits for listings apply unless `cap` is given.

    Raises UnauthorisedError for iManage's sign-in page, NotIManageError for anything else.
    """
    cap = cap or limits.listing
    body = read_body(response, cap.bytes, limits.total_seconds)
    if not body.strip():
        return None
    try:
        return parse_json(body, response.status_code, cap.values)
    except AnswerTooLargeError:
        raise
    except NotIManageError as error:
        page = sign_in_pages.of_body(body, response.headers.get("Content-Type", ""))
        raise page(status=response.status_code) if page else error from None


def parse_json(body: bytes, status: int, max_values: int = _MAX_VALUES) -> Any:
    """Parse JSON, or raise NotIManageError. Raises AnswerTooLargeError for more than `max_values` values."""
    if _count_values(body) > max_values:
        raise AnswerTooLargeError(status=status)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotIManageError(status=status) from None


def _count_values(body: bytes) -> int:
    """An upper bound for the number of values in a JSON text: commas and brackets inside strings count too.

    Checked before parsing, because 4 MB can hold two million values, which take Python twenty times the memory and
    seconds under the GIL.
    """
    return sum(map(body.count, (b",", b"{", b"[")))


@dataclass(frozen=True)
class Listing:
    """The rows of a response and its paging fields. `malformed` counts entries that are not objects."""

    rows: tuple[dict[str, Any], ...]
    total: int | None = None
    overflow: bool | None = None
    cursor: str | None = None
    malformed: int = 0


def listing(payload: Any) -> Listing:
    """The rows of `data`: an object, an array or `{results: [...]}`. Without `data` there are none.

    Raises NotUnderstoodError for any other form of it, which must not pass for an empty list, NotIManageError for
    other JSON, and RejectedError for an error envelope.
    """
    if not isinstance(payload, dict):
        raise NotIManageError
    data = payload.get("data")
    if "data" not in payload and not payload.keys() <= _BESIDE_DATA:
        raise _without_data(payload)
    if isinstance(data, dict) and data.keys() & _OF_A_ROW:
        data = [data]
    elif isinstance(data, dict) and (not data or "results" in data):
        data = data.get("results")
    if data is not None and not isinstance(data, list):
        raise NotUnderstoodError
    cursor, overflow = payload.get("cursor"), payload.get("overflow")
    rows = tuple(row for row in data or () if isinstance(row, dict))
    return Listing(
        rows=rows,
        malformed=len(data or ()) - len(rows),
        total=number(payload, "total_count") if isinstance(payload.get("total_count"), int) else None,
        overflow=overflow if isinstance(overflow, bool) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
    )


def _without_data(payload: dict[str, Any]) -> ImanageError:
    """The error for JSON without `data`: some servers refuse with a status of 200, other programs send anything."""
    refusal = read_refusal(payload)
    if payload.get("error") and (refusal.code or refusal.message):
        return RejectedError(
            remote_code=refusal.code, remote_message=refusal.message, fields=refusal.fields, status=200
        )
    return NotIManageError()


def record(payload: Any) -> dict[str, Any]:
    """The object in `data`, or the first one of a list. Raises NotIManageError where there is none."""
    data = payload.get("data") if isinstance(payload, dict) else None
    if isinstance(data, dict) and data and "results" not in data:
        return data
    rows = listing(payload).rows
    if not rows:
        raise NotIManageError("iManage did not return the requested item.")
    return rows[0]


def page(
    found: Listing,
    read: Callable[[dict[str, Any]], T | None],
    offset: int,
    limit: int,
    *,
    has_pages: bool = True,
) -> Page[T]:
    """A page of values. Unreadable rows are skipped but counted towards the next offset.

    Without `has_pages` the server ignores the offset: there is no next page, and a longer list is cut.
    """
    items = tuple(item for item in map(read, found.rows) if item is not None)
    entries = len(found.rows) + found.malformed
    end = offset + entries
    if not entries:
        more = False
    elif found.total is not None:
        more = end < found.total
    else:
        more = bool(found.overflow) or entries >= limit
    unreadable = entries - len(items)
    if not has_pages:
        return Page(items, found.total, False, None, unreadable, is_cut=more)
    return Page(items, found.total, more, end if more else None, unreadable)


def error_from_response(
    response: requests.Response, limits: Limits, secrets: Iterable[str] = ()
) -> ImanageError:
    """The error for a non-2xx response, with the server's own message, bounded and without secrets."""
    status = response.status_code
    body = b""
    try:
        body = read_body(response, _MAX_ERROR_BODY, limits.read_seconds)
        payload = parse_json(body, status)
    except (requests.RequestException, ImanageError):
        payload = None
    refusal = read_refusal(payload, secrets)
    kind = meaning(status, refusal) or _BY_STATUS.get(status)
    wait = retry_after(response.headers) if status in {429, 503} else None
    if status == 429 and wait is None:
        wait = _DEFAULT_WAIT
    if kind is None:
        kind = ServerFaultError if status >= 500 else RejectedError if status >= 400 else NotIManageError
    page = None
    if 300 <= status < 400:
        page = sign_in_pages.of_redirect(response.url or "", response.headers.get("Location", ""))
    elif status in {401, 403} and payload is None:
        page = sign_in_pages.of_body(body, response.headers.get("Content-Type", ""))
    return (page or kind)(
        code="imanage.redirected" if 300 <= status < 400 and page is None else None,
        status=status,
        remote_code=refusal.code,
        remote_message=refusal.message,
        fields=refusal.fields,
        wait_seconds=wait,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next request, from `Retry-After` or else `x-ratelimit-reset`.

    A point in time is measured from the server's own `Date` header, because its clock and ours may differ.
    """
    now = _http_date(headers.get("Date") or "") or datetime.now(UTC)
    for name in ("Retry-After", "x-ratelimit-reset"):
        seconds = _seconds(headers.get(name), now)
        if seconds is not None:
            return min(max(seconds, 0.0), _MAX_WAIT)
    return None


def _seconds(text: str | None, now: datetime) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        moment = _http_date(text)
        return None if moment is None else (moment - now).total_seconds()
    if not math.isfinite(number):
        return None
    # A number this large is a Unix timestamp.
    return number - now.timestamp() if number > 1_000_000_000 else number


def _http_date(text: str) -> datetime | None:
    """Parse an HTTP date."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def connection_fault(error: requests.RequestException) -> UnreachableError | OutboundBlockedError:
    """The error for a failed connection or a lost response."""
    if isinstance(error, requests.exceptions.InvalidSchema):
        return OutboundBlockedError(code="imanage.blocked.scheme")
    reason = _reason(error)
    if isinstance(reason, TunnelError):
        return UnreachableError("The outbound proxy made no connection.", code=reason.code)
    if isinstance(reason, NameResolutionError):
        return UnreachableError(
            "The iManage server’s name could not be found.", code="imanage.unreachable.name_not_found"
        )
    if isinstance(error, requests.exceptions.SSLError):
        return UnreachableError(
            "The iManage server’s certificate is not trusted.",
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


def is_unsent(error: requests.RequestException) -> bool:
    """Whether the fault happened before any byte of the request could have been sent."""
    reason = _reason(error)
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return True
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidSchema):
        return True
    return isinstance(_root_cause(error), ssl.SSLCertVerificationError)


def outcome_unknown(error: ImanageError) -> OutcomeUnknownError:
    """The error for a write that was sent and got no clear response."""
    return OutcomeUnknownError(
        status=error.status,
        remote_code=error.remote_code,
        remote_message=error.remote_message,
        wait_seconds=error.wait_seconds,
    )


def _reason(error: requests.RequestException) -> BaseException | None:
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else None
    return inner.reason if isinstance(inner, MaxRetryError) else inner


def _root_cause(error: requests.RequestException) -> BaseException | None:
    """The innermost exception that urllib3 wrapped."""
    inner: BaseException | None = _reason(error)
    while inner is not None and inner.args and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    return inner
