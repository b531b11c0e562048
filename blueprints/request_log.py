"""The request log, and the request id shared with people, proxies and other log lines."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

HEADER = "X-Request-ID"
GIVEN = re.compile(r"[A-Za-z0-9._-]{8,60}")

log = structlog.get_logger()


def _begin() -> None:
    """Use the id of a trusted proxy; security_headers.py removes the header from other clients."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if GIVEN.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    """Logs the URL rule, not the URL, which could reveal what a person opened or searched for."""
    if "request_id" not in g:  # an earlier before_request function failed
        _begin()
    response.headers[HEADER] = g.request_id
    facts = {"error": g.error_code} if "error_code" in g else {}
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "",
        status=response.status_code,
        ms=round(1000 * (time.perf_counter() - g.began), 1),
        **facts,
    )
    return response


def init_app(app: Flask) -> None:
    """Register first: the first functions see a request first and its response last."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: structlog.contextvars.unbind_contextvars("request_id"))
