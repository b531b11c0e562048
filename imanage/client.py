"""The transport: one user's calls to one server, rate-limited, bounded, and retried only where that is safe."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

from . import proxies
from .deadlines import time_left
from .errors import (
    ImanageError,
    NotIManageError,
    RejectedError,
    ServerFaultError,
    ThrottledError,
    UnauthorisedError,
    UnreachableError,
)
from .guard import Cap, limits_of
from .responses import (
    Listing,
    connection_fault,
    error_from_response,
    is_unsent,
    listing,
    outcome_unknown,
    read_json,
    record,
)
from .server_facts import ASSUMED, ServerFacts, TokenHeader
from .uploads import Multipart

Params = Mapping[str, str | int]
R = TypeVar("R")

_ATTEMPTS = 3
_FIRST_BACKOFF = 0.4
_RETRYABLE = frozenset(
    {"imanage.unreachable.refused", "imanage.unreachable.reset", proxies.UNREACHABLE, proxies.BROKEN}
)
_RETRIED_ONCE = frozenset({429, 500, 502})
_TOO_MANY = frozenset({429, 503})
_MOST_SECONDS = 256
_random = random.SystemRandom()


def auth_headers(access_token: str, header: TokenHeader = "x-auth-token") -> dict[str, str]:
    """The headers that carry the access token."""
    headers = {}
    if header != "bearer":
        headers["X-Auth-Token"] = access_token
    if header != "x-auth-token":
        headers["Authorization"] = f"Bearer {access_token}"
    return headers


@dataclass(frozen=True)
class Answers:
    """Calls that a server has answered: how many, how many of them with 429 or 503, and the median seconds of reads."""

    number: int = 0
    refused: int = 0
    median: float | None = None


class Pacer:
    """Client-side rate limiting, shared by all threads that call one server: after a 429 all calls wait for its reset.

    It also counts the answers: services decide by them how many calls to make at a time.

    A wait longer than `cap_seconds` raises ThrottledError with the wait instead, so that a page can show it and a job
    can be rescheduled.
    """

    def __init__(self, cap_seconds: float = 30) -> None:
        self.cap_seconds = cap_seconds
        self._lock = threading.Lock()
        self._until = 0.0
        self._number = self._refused = 0
        self._seconds: deque[float] = deque(maxlen=_MOST_SECONDS)

    def answered(self, status: int, seconds: float | None) -> None:
        """Count an answer. `seconds` is None where it says nothing about the server, as with an upload."""
        with self._lock:
            self._number += 1
            self._refused += status in _TOO_MANY
            if seconds is not None and status not in _TOO_MANY:
                self._seconds.append(seconds)

    def take_answers(self) -> Answers:
        """The answers since this was called last."""
        with self._lock:
            median = statistics.median(self._seconds) if self._seconds else None
            found = Answers(self._number, self._refused, median)
            self._number = self._refused = 0
            self._seconds.clear()
            return found

    def throttled(self, seconds: float) -> None:
        """Hold back all calls for so many seconds."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + max(0.0, seconds))

    def remaining(self) -> float:
        """Seconds until the next call is allowed; 0 if it is allowed now."""
        with self._lock:
            return max(0.0, self._until - time.monotonic())

    def wait(self) -> None:
        """Return when the next call is allowed, or raise ThrottledError."""
        while seconds := self.remaining():
            if seconds > self.cap_seconds:
                raise ThrottledError(wait_seconds=seconds)
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class Client:
    """Calls below one customer's base URL. Paths are relative and built from validated segments (imanage/ids.py).

    `facts` is what is known of the server. `contradictions`: facts that an answer contradicted, and how.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        access_token: str,
        header: TokenHeader | None = None,
        pacing: Pacer | None = None,
        facts: ServerFacts = ASSUMED,
        *,
        retries_faults: bool = False,
    ) -> None:
        """`retries_faults`: a read that got 429, 500 or 502 is repeated once, for a person who waits for a page."""
        self.facts = facts
        self.contradictions: dict[str, str] = {}
        self._uncounted: set[str] = set()
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._secrets = (access_token,)
        self._headers = auth_headers(access_token, header or facts.token_header)
        self._limits = limits_of(session)
        self._pacer = pacing or Pacer()
        self._retries_faults = retries_faults

    def json(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        reads: bool | None = None,
        cap: Cap | None = None,
    ) -> Any:
        """One call with a JSON response; None for an empty body. `reads` marks a POST that changes nothing.

        The limits for listings apply unless `cap` is given.
        """
        return self._call(
            method,
            path,
            lambda response: read_json(response, self._limits, cap),
            reads=method == "GET" if reads is None else reads,
            params=params,
            json=body,
        )

    def data(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """One call whose `data` is a single object."""
        return record(self.json(method, path, cap=self._limits.single, **options))

    def lists(self, method: str, path: str, **options: Any) -> Listing:
        """One call whose `data` is a list, in any of the shapes of imanage/responses.py.

        A list that refuses to count is read again without `total`, and so are its further pages.
        """
        params: Params = options.get("params") or {}
        plain = options | {"params": {name: value for name, value in params.items() if name != "total"}}
        if path not in self._uncounted:
            try:
                return listing(self.json(method, path, **options))
            except RejectedError as error:
                if "total" not in params or "total" not in error.fields:
                    raise
                self._uncounted.add(path)
        return listing(self.json(method, path, **plain))

    def stream(
        self, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """A 2xx response whose body has not been read. The caller closes it."""
        return self._call("GET", path, lambda response: response, reads=True, params=params, headers=headers)

    def multipart(self, method: str, path: str, body: Multipart) -> Any:
        """Send a multipart body once, never retried. A lost response raises OutcomeUnknownError."""
        return self._call(
            method,
            path,
            lambda response: read_json(response, self._limits, self._limits.single),
            reads=False,
            data=body,
            headers={"Content-Type": body.content_type},
            timeout=(self._limits.connect_seconds, self._limits.upload_response_seconds),
        )

    def _call(
        self,
        method: str,
        path: str,
        finish: Callable[[requests.Response], R],
        *,
        reads: bool,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> R:
        end = time.monotonic() + min(self._limits.total_seconds, time_left())
        for attempt in range(1, _ATTEMPTS + 1):
            self._pacer.wait()
            try:
                return self._attempt(
                    method, path, finish, {**self._headers, **(headers or {})}, reads, options
                )
            except (UnreachableError, ServerFaultError, ThrottledError) as error:
                pause = self._backoff(error, attempt)
                if not reads or attempt == _ATTEMPTS or pause is None or pause > self._pacer.cap_seconds:
                    raise
                if time.monotonic() + pause >= end:
                    raise
                self._pacer.pause(pause)
        raise AssertionError("the last attempt returns or raises")

    def _backoff(self, error: ImanageError, attempt: int) -> float | None:
        """Seconds to wait before a retry; None if a retry cannot help."""
        backoff: float = _FIRST_BACKOFF * 2 ** (attempt - 1) * _random.uniform(0.5, 1.5)
        if error.status == 503:
            return max(backoff, error.wait_seconds or 0)
        if error.status in _RETRIED_ONCE:
            can_help = self._retries_faults and attempt == 1
            return max(backoff, error.wait_seconds or 0) if can_help else None
        return backoff if error.code in _RETRYABLE else None

    def _attempt(
        self,
        method: str,
        path: str,
        finish: Callable[[requests.Response], R],
        headers: Mapping[str, str],
        reads: bool,
        options: Mapping[str, Any],
    ) -> R:
        began = time.monotonic()
        try:
            response = self._session.request(
                method,
                f"{self._base_url}/{path}",
                headers=headers,
                stream=True,
                allow_redirects=False,
                **options,
            )
        except requests.RequestException as error:
            fault = connection_fault(error)
            body = options.get("data")
            unsent = is_unsent(error) or (isinstance(body, Multipart) and not body.started)
            raise (fault if reads or unsent else outcome_unknown(fault)) from error
        self._pacer.answered(response.status_code, time.monotonic() - began if reads else None)
        if not 200 <= response.status_code < 300:
            raise self._refused(response, reads)
        try:
            return finish(response)
        except requests.RequestException as error:
            fault = connection_fault(error)
            raise (fault if reads else outcome_unknown(fault)) from error
        except (NotIManageError, UnauthorisedError) as error:
            raise (error if reads else outcome_unknown(error)) from error

    def _refused(self, response: requests.Response, reads: bool) -> ImanageError:
        error = error_from_response(response, self._limits, self._secrets)
        if isinstance(error, ThrottledError):
            self._pacer.throttled(error.wait_seconds or 0)
        if response.status_code >= 500 and not reads:
            return outcome_unknown(error)
        return error
