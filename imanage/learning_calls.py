"""The requests of a run that learns a server's facts: few, one at a time, each listed, none retried blindly."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from .client import auth_headers
from .errors import AnswerTooLargeError, ImanageError
from .guard import GuardedSession
from .refusals import read_refusal
from .responses import (
    connection_fault,
    listing,
    parse_json,
    read_body,
    record,
    retry_after,
)
from .server_facts import TokenHeader, Value
from .types import Endpoints
from .uploads import Multipart

MOST_REQUESTS = 300
KEPT_FOR_CLEANING = 40
"""Requests that only the removal of what was stored may use."""
LONGEST_WAIT_SECONDS = 10.0
MOST_BYTES = 8 * 1024 * 1024
MOST_VALUES = 400_000


class LearningStoppedError(ImanageError):
    """The run cannot continue; what was found so far is kept."""


@dataclass(frozen=True)
class Sent:
    """One request of the run, without its query. Status 0: no answer came."""

    method: str
    path: str
    status: int
    purpose: str


@dataclass(frozen=True)
class Answer:
    """What came back. `payload` is the parsed JSON, or None."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    payload: Any = None

    @property
    def is_success(self) -> bool:
        """Not a page of something on the way, which may have any status."""
        is_page = "html" in self.headers.get("Content-Type", "").lower()
        return 200 <= self.status < 300 and not is_page

    @property
    def is_json(self) -> bool:
        return self.is_success and isinstance(self.payload, dict)

    @property
    def is_refusal(self) -> bool:
        """A clear no: neither success nor a fault of the server or the line."""
        return 400 <= self.status < 500 and self.status not in {401, 408, 429}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a list; empty for anything else."""
        try:
            return list(listing(self.payload).rows) if self.is_success else []
        except ImanageError:
            return []

    @property
    def row(self) -> dict[str, Any]:
        """The one object; empty for anything else."""
        try:
            return record(self.payload) if self.is_success else {}
        except ImanageError:
            return {}

    @property
    def has_total(self) -> bool:
        return isinstance(self.payload, dict) and isinstance(self.payload.get("total_count"), int)

    @property
    def code(self) -> str:
        return read_refusal(self.payload).code or ""

    @property
    def refused_fields(self) -> frozenset[str]:
        """The fields that a refusal names."""
        return frozenset(read_refusal(self.payload).fields)


@dataclass
class Found:
    """What a run has found out, and why a fact stayed unknown."""

    values: dict[str, Value] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    left_behind: list[str] = field(default_factory=list)
    stopped: str = ""


class Caller:
    """Sends the requests of one run as one user. `on_sent` is told each."""

    def __init__(
        self,
        session: GuardedSession,
        endpoints: Endpoints,
        token: str,
        on_sent: Callable[[Sent], None] = lambda sent: None,
    ) -> None:
        self._session, self._origin, self._token = session, endpoints.api, token
        self._on_sent = on_sent
        self.header: TokenHeader | None = "x-auth-token"
        self.base = ""
        self.count = 0
        self.rate_headers = ""
        self.is_cleaning = False

    def get(self, path: str, purpose: str, **options: Any) -> Answer:
        """One GET below the customer's base URL."""
        return self.send("GET", f"{self.base}/{path}", purpose, **options)

    def send(
        self,
        method: str,
        url: str,
        purpose: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Multipart] | None = None,
        is_signed_in: bool = True,
    ) -> Answer:
        """One request, and once more after a 429 that asks for a short wait."""
        url = url if url.startswith(self._origin) else f"{self._origin}/{url}"
        own = auth_headers(self._token, self.header) if is_signed_in and self.header else {}
        for is_last in (False, True):
            answer = self._once(method, url, purpose, params, {**own, **(headers or {})}, body and body())
            if answer.status != 429:
                break
            self._note_rate_headers(answer.headers)
            wait = retry_after(answer.headers) or 1.0
            if is_last or wait > LONGEST_WAIT_SECONDS:
                raise LearningStoppedError("The server asked Counterpart to wait.", status=429)
            time.sleep(wait)
        return answer

    def _once(
        self,
        method: str,
        url: str,
        purpose: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
        body: Multipart | None,
    ) -> Answer:
        most = MOST_REQUESTS if self.is_cleaning else MOST_REQUESTS - KEPT_FOR_CLEANING
        if self.count >= most:
            raise LearningStoppedError("The run used all its requests.")
        self.count += 1
        status = 0
        try:
            typed = {"Content-Type": body.content_type} if body is not None else {}
            options: dict[str, Any] = {"data": body} if body is not None else {}
            response = self._session.request(
                method,
                url,
                params=params,
                headers={"Accept": "application/json", **headers, **typed},
                **options,
                stream=True,
                allow_redirects=False,
            )
            status = response.status_code
            content = read_body(response, MOST_BYTES, self._session.limits.total_seconds)
        except AnswerTooLargeError:
            return Answer(0)
        except requests.RequestException as error:
            status = 0
            raise LearningStoppedError(connection_fault(error).sentence) from error
        finally:
            self._on_sent(Sent(method, url.removeprefix(self._origin), status, purpose))
        return Answer(status, response.headers, content, _json(content, status))

    def _note_rate_headers(self, headers: Mapping[str, str]) -> None:
        names = {"ratelimit": "x-ratelimit-reset", "retry_after": "Retry-After"}
        there = [value for value, name in names.items() if headers.get(name)]
        self.rate_headers = "both" if len(there) == 2 else there[0] if there else "absent"


def _json(content: bytes, status: int) -> Any:
    try:
        return parse_json(content, status, MOST_VALUES)
    except ImanageError:
        return None
