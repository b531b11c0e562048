"""What a refusal says: the error envelope, and what it means beyond its status.

Which codes iManage uses is not public and servers differ in statuses, so both codes and words are recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import CheckedOutError, ImanageError, IndexUnavailableError, UnauthorisedError

MAX_MESSAGE = 300
_MAX_ROWS = 50
# Matched against text of other programs: every repetition is bounded, so that matching stays linear.
_CHECKED_OUT_CODE = re.compile(
    r"CHECKED_?OUT|IN_?USE(?![A-Z])|(DOCUMENT|FILE|RECORD|NRC)_?(IS_?)?LOCKED", re.IGNORECASE
)
_CHECKED_OUT = re.compile(
    r"(?<!not )\b(checked[ -]?out|in use by|being edited)\b|\blocked by\b"
    r"|\b(document|file|record|version)\b[^.;]{0,60}\b(locked|in use)\b",
    re.IGNORECASE,
)
_NO_INDEX_CODE = re.compile(r"INDEX\w{0,20}(UNAVAILABLE|OFFLINE|DOWN|NOT_?AVAILABLE)", re.IGNORECASE)
_NO_INDEX = re.compile(
    r"\bindex(er|es|ing)?\b[^.;]{0,60}\b(unavailable|not available|offline|not ready|down)\b", re.IGNORECASE
)
_SESSION_CODE = re.compile(
    r"(SESSION|TOKEN)_?(IS_?)?(INVALID|EXPIRED|ENDED|TIMED_?OUT|MISSING)|(INVALID|EXPIRED|NO)_?(SESSION|TOKEN)"
    r"|NOT_?(LOGGED|SIGNED)_?(IN|ON)|(LOGIN|AUTHENTICATION)_?REQUIRED",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"\b(session|token|sign-in|login)\b[^.;]{0,40}\b(expired|ended|invalid|timed out|missing|no longer valid)\b"
    r"|\bnot (logged|signed) (in|on)\b|\b(login|sign-in|authentication) (is )?required\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Refusal:
    """The code, the message and the message of each field. `codes` has those of `messages[]` too."""

    code: str | None = None
    message: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Everything it says in words."""
        return "; ".join(filter(None, [self.message, *self.fields.values()]))


def read_refusal(payload: Any, secrets: Iterable[str] = ()) -> Refusal:
    """An error envelope in each of the shapes that public clients handle."""
    top = payload if isinstance(payload, dict) else {}
    error = top.get("error")
    inner = error if isinstance(error, dict) else {}
    code = inner.get("code") or top.get("code") or (error if isinstance(error, str) else None)
    said = [
        inner.get("message"),
        inner.get("code_message"),
        top.get("error_description"),
        top.get("message"),
        top.get("code_message"),
    ]
    fields: dict[str, str] = {}
    codes = [code]
    for row in _rows(inner.get("messages") or top.get("messages")):
        words = row.get("code_message") or row.get("message")
        codes.append(row.get("code"))
        if row.get("field"):
            fields[sanitise(row["field"], secrets)] = sanitise(words or row.get("code"), secrets)
        else:
            said.append(words or row.get("code"))
    messages = dict.fromkeys(filter(None, (sanitise(each, secrets) for each in said)))
    return Refusal(
        code=sanitise(code, secrets) or None,
        message="; ".join(messages)[:MAX_MESSAGE] or None,
        fields=fields,
        codes=tuple(filter(None, (sanitise(each, secrets) for each in codes))),
    )


def _rows(given: Any) -> Iterable[dict[str, Any]]:
    for row in given[:_MAX_ROWS] if isinstance(given, list) else ():
        if isinstance(row, dict):
            yield row
        elif isinstance(row, str):
            yield {"message": row}


def meaning(status: int, refusal: Refusal) -> type[ImanageError] | None:
    """The error that its codes or words name; None where the status decides."""
    codes, words = " ".join(refusal.codes), refusal.words
    if status in {400, 403, 409, 422, 423} and (
        _CHECKED_OUT_CODE.search(codes) or _CHECKED_OUT.search(words)
    ):
        return CheckedOutError
    if (status >= 500 or status in {400, 403, 409, 422}) and (
        _NO_INDEX_CODE.search(codes) or _NO_INDEX.search(words)
    ):
        return IndexUnavailableError
    if status in {403, 419, 440} and (_SESSION_CODE.search(codes) or _SESSION.search(words)):
        return UnauthorisedError
    return None


def sanitise(value: Any, secrets: Iterable[str] = ()) -> str:
    """A server's text made safe to log and show: one line, bounded, secrets replaced."""
    if not isinstance(value, str | int | float):
        return ""
    text = str(value)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    return "".join(sign if sign.isprintable() else " " for sign in text[:MAX_MESSAGE]).strip()
