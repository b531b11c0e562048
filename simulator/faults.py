"""Faults by rule: which calls, after how many, how often, and what goes wrong with them."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = {
    "slow": "wait `seconds` before answering",
    "status": "answer `status`: envelope (`code`, `message`, `field`), HTML page (`html`) or `body`; nothing is done",
    "throttle": "answer 429 with x-ratelimit-reset (`reset`), x-ratelimit-remaining (`remaining`), Retry-After",
    "html": "answer an HTML page with `status` (200 unless told) instead of JSON",
    "json": "answer `body` as JSON with `status` (200 unless told)",
    "redirect": "answer 302 to `location`",
    "endless_json": "answer a JSON list that never ends",
    "giant_headers": "add `at` bytes of header (1 MiB unless told)",
    "cut_headers": "break off inside the response's head",
    "trickle_headers": "send the response's head at `rate` bytes a second",
    "cut": "break off the body at byte `at` or at `fraction`; `how` is reset or close",
    "stall": "send up to `at`/`fraction` of the body, then nothing for `seconds`",
    "trickle": "send the body at `rate` bytes a second from `at` on",
    "long_body": "send `extra` bytes more than Content-Length says",
    "no_length": "send no Content-Length: chunked, or until close where `how` is close",
    "bad_chunk": "send chunked and leave out the last chunk",
    "gzip": "send the body gzipped, with the packed length",
    "corrupt": "change the byte at `at` or `fraction` of the body",
    "lost_before": "take the request, do nothing, close without an answer",
    "lost_after": "do the work, close without an answer",
    "reject_early": "answer `status` (413 unless told) after `at` bytes of the request's body, and close",
    "no_continue": "never send 100 Continue: wait `seconds` for the body instead",
    "close_idle": "close the kept-alive connection after the answer without having said so",
    "wrong_checksum": "profiles in the answer carry a wrong checksum",
    "absent_checksum": "profiles in the answer carry no checksum",
    "odd_ids": "the first `at` rows of a list (1 unless told) have ids that no address can carry",
    "no_refresh_token": "the token answer has no refresh token",
    "rotate_refresh": "the refresh token is used up and a new one is given",
    "refuse_refresh": "the refresh token is refused",
    "expire_tokens": "all access tokens (of `user`, where named) end before the call is looked at",
    "require_header": "only the token header named by `how` counts: bearer, x-auth-token or either",
}


@dataclass(frozen=True)
class Fault:
    """A rule. It counts the calls that match, lets `after` of them pass and then strikes `times` times.

    `path` is a regular expression looked for in the path with its query; `times=None` means for ever.
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

    def place(self, length: int | None) -> int:
        """The byte it speaks of, in a body of `length` bytes; half of it where nothing else was said."""
        if self.at is not None:
            return self.at if self.at >= 0 else max(0, (length or 0) + self.at)
        return int((length or 0) * (0.5 if self.fraction is None else self.fraction))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def fault_from(data: dict[str, Any]) -> Fault:
    """A fault from JSON; a wrong name is a ValueError that says so."""
    known = {one.name for one in fields(Fault)}
    if wrong := sorted(set(data) - known):
        raise ValueError(f"a fault has no {', '.join(wrong)}")
    return Fault(**data)


class Struck:
    """The faults that struck one call, by kind; the first rule of a kind wins."""

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


class FaultBook:
    """The rules in force. Safe to change while calls are under way."""

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

    def struck(self, fault: Fault) -> int:
        """How often a rule has struck so far."""
        with self._lock:
            seen = next((count[0] for rule, count in self._rules if rule is fault), 0)
        ever = max(0, seen - fault.after)
        return ever if fault.times is None else min(ever, fault.times)

    def take(self, method: str, target: str, user: str) -> Struck:
        if not self._rules:
            return Struck([])
        with self._lock:
            hits = []
            for fault, count in self._rules:
                if not fault.matches(method, target, user):
                    continue
                count[0] += 1
                nth = count[0] - fault.after
                if nth > 0 and (fault.times is None or nth <= fault.times):
                    hits.append(fault)
            return Struck(hits)
