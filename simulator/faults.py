"""Fault injection by rules: which calls match, from which on, how often, and what goes wrong."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = {
    "slow": "wait `seconds` before answering",
    "status": "answer with `status` and an envelope (`code`, `message`, `field`), page (`html`) or `body`; do nothing",
    "throttle": "answer with 429 and x-ratelimit-reset (`reset`), x-ratelimit-remaining (`remaining`), Retry-After",
    "html": "answer with an HTML page and `status` (default 200) instead of JSON",
    "json": "answer with `body` as JSON and `status` (default 200)",
    "redirect": "redirect with 302 to `location`",
    "sign_in_page": "answer with the sign-in page of an application proxy, or redirect to it if `how` is redirect",
    "endless_json": "answer with a JSON list that never ends",
    "giant_headers": "add `at` bytes of headers (default 1 MiB)",
    "cut_headers": "close the connection within the response headers",
    "trickle_headers": "send the response headers at `rate` bytes a second",
    "cut": "end the connection at byte `at` or `fraction` of the body; `how` is reset or close",
    "stall": "pause for `seconds` at byte `at` or `fraction` of the body",
    "trickle": "send the body at `rate` bytes a second from byte `at` on",
    "long_body": "send `extra` bytes more than Content-Length",
    "no_length": "send no Content-Length: chunked, or until close if `how` is close",
    "bad_chunk": "send chunked without the last chunk",
    "gzip": "send the body gzipped, with the compressed length",
    "corrupt": "change the byte at `at` or `fraction` of the body",
    "lost_before": "read the request, do nothing, close without a response",
    "lost_after": "do the work, close without a response",
    "reject_early": "answer with `status` (default 413) after `at` bytes of the request body, and close",
    "no_continue": "do not send 100 Continue; wait `seconds` for the body instead",
    "close_idle": "close the keep-alive connection after the response without announcing it",
    "wrong_checksum": "profiles in the response have a wrong checksum",
    "absent_checksum": "profiles in the response have no checksum",
    "odd_ids": "the first `at` rows of a list (default 1) have ids that are not valid in a URL",
    "no_refresh_token": "the token response has no refresh token",
    "rotate_refresh": "the refresh token is replaced by a new one",
    "refuse_refresh": "the refresh token is refused",
    "expire_tokens": "all access tokens (or those of `user`) expire before the call is handled",
    "require_header": "only the token header named by `how` is accepted: bearer, x-auth-token or either",
}


@dataclass(frozen=True)
class Fault:
    """A rule: applied to `times` matching calls after the first `after` ones.

    `path` is a regular expression searched in the path with its query; `times=None` means without limit.
    """

    kind: str
    method: str = ""
    path: str = ""
    user: str = ""
    after: int = 0
    times: int | None = 1
    status: int = 0
    html: bool = False
    code: str = ""
    message: str = ""
    field: str = ""
    body: Any = None
    seconds: float = 0.0
    reset: int | None = None
    remaining: int | None = None
    retry_after: str | int | None = None
    location: str = ""
    at: int | None = None
    fraction: float | None = None
    how: str = ""
    rate: int = 1
    extra: int = 64

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}; known: {', '.join(KINDS)}")
        if self.kind == "status" and not self.status:
            raise ValueError("a status fault needs its status")
        re.compile(self.path)

    def matches(self, method: str, target: str, user: str) -> bool:
        return (
            self.method.upper() in ("", "*", method)
            and (not self.user or self.user.upper() == user.upper())
            and re.search(self.path, target) is not None
        )

    def position(self, length: int | None) -> int:
        """The offset in a body of `length` bytes, by `at` or `fraction`; the middle by default."""
        if self.at is not None:
            return self.at if self.at >= 0 else max(0, (length or 0) + self.at)
        return int((length or 0) * (0.5 if self.fraction is None else self.fraction))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def fault_from(data: dict[str, Any]) -> Fault:
    """A fault from JSON. Raises ValueError for unknown names."""
    known = {one.name for one in fields(Fault)}
    if wrong := sorted(set(data) - known):
        raise ValueError(f"a fault has no {', '.join(wrong)}")
    return Fault(**data)


class CallFaults:
    """The faults of one call, by kind; the first rule of a kind wins."""

    def __init__(self, faults: list[Fault]) -> None:
        self._by_kind: dict[str, Fault] = {}
        for one in faults:
            self._by_kind.setdefault(one.kind, one)

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def get(self, kind: str) -> Fault | None:
        return self._by_kind.get(kind)

    def __contains__(self, kind: str) -> bool:
        return kind in self._by_kind

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._by_kind)


class FaultRules:
    """The active rules. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._rules.append((fault, [0]))
        return fault

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._rules = [rule for rule in self._rules if rule[0] is not fault]

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def list(self) -> list[Fault]:
        with self._lock:
            return [fault for fault, _ in self._rules]

    def times_applied(self, fault: Fault) -> int:
        """How often a rule has been applied so far."""
        with self._lock:
            seen = next((count[0] for rule, count in self._rules if rule is fault), 0)
        ever = max(0, seen - fault.after)
        return ever if fault.times is None else min(ever, fault.times)

    def take(self, method: str, target: str, user: str) -> CallFaults:
        if not self._rules:
            return CallFaults([])
        with self._lock:
            hits = []
            for fault, count in self._rules:
                if not fault.matches(method, target, user):
                    continue
                count[0] += 1
                nth = count[0] - fault.after
                if nth > 0 and (fault.times is None or nth <= fault.times):
                    hits.append(fault)
            return CallFaults(hits)
