"""Responses: status, headers and body blocks, canned responses, and the faults applied to them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from simulator.faults import CallFaults, Fault
from simulator.settings import Settings

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
MARK = "Practice iManage: not a real system"


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    blocks: Iterable[bytes] = ()
    chunked: bool = False
    until_close: bool = False
    last_chunk: bool = True
    extra: bytes = b""
    close: bool = False
    filler: list[tuple[str, str]] = field(default_factory=list)

    @property
    def length(self) -> int | None:
        text = self.header("content-length")
        return int(text) if text else None

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def drop(self, name: str) -> None:
        self.headers = [(key, value) for key, value in self.headers if key.lower() != name]

    @property
    def phrase(self) -> str:
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Status"


def whole(status: int, body: bytes, kind: str, *headers: tuple[str, str]) -> Answer:
    fixed = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    return Answer(status, [*fixed, *headers], [body])


def envelope(settings: Settings, code: str, text: str, field_name: str = "") -> dict[str, object]:
    """The error envelope. It has both `message` and `code_message`, because public clients read either."""
    code = {"named": code, "generic": "NRC_FAILURE"}.get(settings.error_codes, "")
    lines = [{"code": code, "code_message": text, "field": field_name, "data": None}] if field_name else []
    error = {
        "code": code,
        "code_message": text,
        "message": text,
        "dms_version": settings.dms_version,
        "transaction": "practice",
        "messages": lines,
    }
    if not code:
        del error["code"]
    return {"error": error}


def page(title: str, text: str) -> bytes:
    """A plain page like that of a proxy or of a server under maintenance."""
    return (
        f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{text}</p><p><small>{MARK}</small>"
    ).encode()


PROXY_SIGN_IN = "login.microsoftonline.com/common"
PROXY_PAGE = page(
    "Sign in to your account", f'<form action="https://{PROXY_SIGN_IN}/login"><input type="password"></form>'
)
_CODES = {401: "NRC_SESSION_INVALID", 403: "NRC_ACCESS_DENIED", 404: "NRC_NO_RECORD", 409: "NRC_IN_USE"}
_TEXTS = {401: "X-Auth-Token is invalid or missing", 503: "The service is down for maintenance."}


def throttled(settings: Settings, fault: Fault) -> Answer:
    named = {
        "x-ratelimit-reset": fault.reset,
        "x-ratelimit-remaining": fault.remaining,
        "Retry-After": fault.retry_after,
    }
    headers = [(name, str(value)) for name, value in named.items() if value is not None]
    body = envelope(settings, "NRC_RATE_LIMIT", "Too many requests")
    return whole(429, json.dumps(body).encode(), JSON, *headers)


def canned(call_faults: CallFaults, settings: Settings) -> Answer | None:
    """The response that a fault sends instead of the real one, if any."""
    if fault := call_faults.get("throttle"):
        return throttled(settings, fault)
    if fault := call_faults.get("redirect"):
        return whole(fault.status or 302, b"", HTML, ("Location", fault.location))
    if fault := call_faults.get("sign_in_page"):
        if fault.how == "redirect":
            return whole(
                302, b"", HTML, ("Location", f"https://{PROXY_SIGN_IN}/oauth2/authorize?client_id=app-proxy")
            )
        return whole(fault.status or 200, PROXY_PAGE, HTML)
    if call_faults.get("endless_json"):
        return Answer(200, [("Content-Type", JSON)], _endless())
    for kind in ("status", "html", "json", "reject_early"):
        if fault := call_faults.get(kind):
            return _refused(fault, settings)
    return None


def _refused(fault: Fault, settings: Settings) -> Answer:
    status = fault.status or {"reject_early": 413}.get(fault.kind, 200)
    text = fault.message or _TEXTS.get(status, f"Practice fault {status}")
    if fault.html or fault.kind == "html":
        return whole(status, page(f"{status} {text}", "Please try again later."), HTML)
    code = fault.code or _CODES.get(status, "NRC_PRACTICE_FAULT")
    body = (
        envelope(settings, code, text, fault.field)
        if fault.body is None and fault.kind != "json"
        else fault.body
    )
    return whole(status, json.dumps(body).encode(), JSON)


def _endless() -> Iterator[bytes]:
    yield b'{"data":['
    block = b'{"id":"Active!1.1","wstype":"document","name":"endless"},' * 1200
    while True:
        yield block


def damage(answer: Answer, call_faults: CallFaults) -> Answer:
    """Apply the faults that change the form of a response."""
    if fault := call_faults.get("corrupt"):
        answer.blocks = _corrupted(answer.blocks, fault.position(answer.length))
    if call_faults.get("gzip"):
        packed = gzip.compress(b"".join(answer.blocks))
        answer.drop("content-length")
        answer.headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))]
        answer.blocks = [packed]
    if fault := call_faults.get("long_body"):
        answer.extra, answer.close = b"+" * fault.extra, True
    if fault := call_faults.get("no_length"):
        answer.drop("content-length")
        answer.until_close = fault.how == "close"
    if call_faults.get("bad_chunk"):
        answer.drop("content-length")
        answer.last_chunk, answer.close = False, True
    if fault := call_faults.get("giant_headers"):
        answer.filler = [("X-Filler", "f" * (1 << 20 if fault.at is None else fault.at))]
    return answer


def _corrupted(blocks: Iterable[bytes], position: int) -> Iterator[bytes]:
    start = 0
    for block in blocks:
        if start <= position < start + len(block):
            at = position - start
            yield block[:at] + bytes([block[at] ^ 0x01]) + block[at + 1 :]
        else:
            yield block
        start += len(block)
