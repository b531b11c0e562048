"""Error handlers: the status and words of each refusal, as a page or as an htmx fragment.

They must not fail themselves: error templates are rendered without context processors, so without database queries,
and if even that fails the answer is plain HTML.
"""

from __future__ import annotations

import structlog
from flask import Flask, current_app, g, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from blueprints.authorization import FORM_LIMIT, nobody
from blueprints.htmx import go_to, is_htmx, toast
from services.access.participation import UndertakingNeededError
from services.core import audit, outages
from services.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RefusedError,
    RemoteRefusedError,
    SignInNeededError,
    TooManyError,
)
from services.core.unit_of_work import abandon
from services.guidance.refusals import refusal

log = structlog.get_logger()

STATUS: dict[type[RefusedError], int] = {
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    SignInNeededError: 409,
    InvalidError: 422,
    TooManyError: 429,
    RemoteRefusedError: 502,
}


HTTP_CODES = {
    400: "bad_request",
    405: "method",
    413: "too_large",
    416: "range",
    429: "too_many",
    500: "unexpected",
}

LAST_RESORT = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>{title} · Counterpart</title></head>
<body><main><h1>{title}</h1><p>{sentence}</p><p>{next_step}</p><p>Reference <code>{reference}</code></p></main>
</body></html>
"""


def answer(error: RefusedError, status: int) -> Response:
    """The error as a toast for htmx, else as a page. Never raises."""
    reference = str(g.get("request_id", ""))
    g.error_code = error.code  # for the request log
    needs_sign_in = isinstance(error, SignInNeededError)
    context = {"error": error, "needs_sign_in": needs_sign_in, "request_id": reference, "status": status}
    name = "errors/_fragment.html" if is_htmx() else "errors/page.html"
    try:
        # Not render_template(): context processors query the database.
        html = current_app.jinja_env.get_template(name).render(context)
    except Exception:
        log.exception("request.error_page_failed", request_id=reference)
        words = {"title": error.title, "sentence": error.sentence, "next_step": error.next_step}
        html = LAST_RESORT.format(
            reference=escape(reference), **{key: escape(each) for key, each in words.items()}
        )
        return Response(html, status, mimetype="text/html")
    return toast(html, status) if is_htmx() else Response(html, status, mimetype="text/html")


def _refused(error: RefusedError) -> Response:
    if isinstance(error, ForbiddenError):
        _record(error)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return answer(error, status)


def _to_undertaking(error: UndertakingNeededError) -> Response:
    """The guest is led to what they have to accept, and afterwards to the page that they wanted."""
    wanted = request.path if request.method == "GET" and not is_htmx() else None
    return go_to(url_for("matters.undertaking", matter_id=error.matter_id, next=wanted))


def _record(error: ForbiddenError) -> None:
    """Audit a refusal. A failure to record it does not change the answer."""
    try:
        who = current_user.actor if current_user.is_authenticated else nobody()
        audit.record_refusal(who, error, f"{request.method} {request.endpoint}")
    except Exception:
        abandon()
        log.exception("request.refusal_not_recorded", request_id=g.get("request_id", ""), code=error.code)


def _http(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
        return _unexpected(error.original_exception)  # an error handler failed
    status = error.code or 500
    response = answer(_of_status(status, error.name), status)
    for name, value in error.get_headers():
        response.headers.setdefault(name, value)  # Allow, Content-Range, Retry-After
    return response


def _of_status(status: int, name: str) -> RefusedError:
    if status == 404:
        return NotFoundError()
    if status == 413 and (most := (request.max_content_length or 0) - FORM_LIMIT) > 0:
        # Names the limit of Counterpart, so that nobody looks for it in the proxy.
        size = f"{most / 1e9:.1f} GB" if most >= 1e9 else f"{most / 1e6:.1f} MB"
        return refusal(RefusedError, "too_large", "here", size=size)
    if status in HTTP_CODES:
        return refusal(RefusedError, HTTP_CODES[status])
    return RefusedError("The request could not be completed.", code=f"http_{status}", title=name)


def _csrf(_error: CSRFError) -> Response:
    """CSRF tokens have no time limit, so one that does not match belongs to another session."""
    if not current_user.is_authenticated or not is_htmx():
        return answer(refusal(RefusedError, "session.old_page"), 400)
    response = answer(refusal(RefusedError, "session.changed"), 400)
    response.headers["HX-Trigger"] = "signInChanged"
    return response


def _unexpected(error: Exception) -> Response:
    abandon()
    outage = outages.of(error)
    if outage is not None:
        log.error(
            "request.database",
            request_id=g.get("request_id", ""),
            endpoint=request.endpoint,
            code=outage.code,
            exc_info=error,
        )
        response = answer(refusal(RefusedError, outage.code), 503)
        response.headers["Retry-After"] = str(outage.retry_after)
        return response
    log.exception("request.failed", request_id=g.get("request_id", ""), endpoint=request.endpoint)
    return answer(refusal(RefusedError, "unexpected"), 500)


def init_app(app: Flask) -> None:
    app.register_error_handler(RefusedError, _refused)
    app.register_error_handler(UndertakingNeededError, _to_undertaking)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
