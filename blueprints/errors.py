"""Error handlers: the status and words of each refusal, as a page or as an htmx fragment.

They must not fail themselves: error templates are rendered without context processors, so without database queries,
and if even that fails the answer is plain HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog
from flask import Flask, current_app, g, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from blueprints.authorization import FORM_LIMIT, nobody
from blueprints.htmx import is_htmx, toast
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


@dataclass(frozen=True)
class ErrorView:
    code: str
    title: str
    sentence: str
    next_step: str = ""
    owner: str = ""


HTTP_ERRORS: dict[int, ErrorView] = {
    400: ErrorView("bad_request", "We could not read this request", "The request is not valid."),
    404: ErrorView(
        "not_found",
        "Page not found",
        "We could not find what you asked for.",
        "It may have been moved or removed. Check the address.",
        "you",
    ),
    405: ErrorView(
        "method", "This is not possible here", "This address does not accept this kind of request."
    ),
    413: ErrorView(
        "too_large",
        "This is too large",
        "What you sent is larger than this installation accepts.",
        "Send a smaller file, or ask your System Admin about the limit.",
        "your System Admin",
    ),
    416: ErrorView(
        "range",
        "This part of the file does not exist",
        "The requested part is beyond the end of the file.",
        "Download the whole file again.",
        "you",
    ),
    429: ErrorView("too_many", "Too many requests", "Wait a moment, then try again."),
}
UNEXPECTED = ErrorView(
    "unexpected",
    "Something went wrong on our side",
    "Counterpart met an unexpected error. Everything saved before is safe.",
    "Try again. If it happens again, give your System Admin the reference below.",
    "your System Admin",
)
SIGNED_IN_AGAIN = ErrorView(
    "session.changed",
    "You have signed in again since you opened this page",
    "Nothing was saved. What you typed is still here.",
    "Try again.",
    "you",
)
OLD_PAGE = ErrorView(
    "session.old_page",
    "You signed in or out after you opened this page",
    "Nothing was saved.",
    "Reload the page and try again. If it keeps happening, allow cookies for this site in your browser.",
    "you",
)


LAST_RESORT = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>{title} · Counterpart</title></head>
<body><main><h1>{title}</h1><p>{sentence}</p><p>{next_step}</p><p>Reference <code>{reference}</code></p></main>
</body></html>
"""


def answer(view: ErrorView, status: int) -> Response:
    """The error as a toast for htmx, else as a page. Never raises."""
    reference = str(g.get("request_id", ""))
    g.error_code = view.code  # for the request log
    context = {"error": view, "request_id": reference, "status": status}
    name = "errors/_fragment.html" if is_htmx() else "errors/page.html"
    try:
        # Not render_template(): context processors query the database.
        html = current_app.jinja_env.get_template(name).render(context)
    except Exception:
        log.exception("request.error_page_failed", request_id=reference)
        words = {"title": view.title, "sentence": view.sentence, "next_step": view.next_step}
        html = LAST_RESORT.format(
            reference=escape(reference), **{key: escape(each) for key, each in words.items()}
        )
        return Response(html, status, mimetype="text/html")
    return toast(html, status) if is_htmx() else Response(html, status, mimetype="text/html")


def _refused(error: RefusedError) -> Response:
    if isinstance(error, ForbiddenError):
        _record(error)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    view = ErrorView(error.code, error.title, error.sentence, error.next_step, error.owner)
    return answer(view, status)


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
    known = (
        _too_large() if status == 413 else HTTP_ERRORS.get(status) or (UNEXPECTED if status == 500 else None)
    )
    view = known or ErrorView(f"http_{status}", error.name, "The request could not be completed.")
    response = answer(view, status)
    for name, value in error.get_headers():
        response.headers.setdefault(name, value)  # Allow, Content-Range, Retry-After
    return response


def _too_large() -> ErrorView | None:
    """Names the limit of Counterpart, so that nobody looks for it in the proxy."""
    most = (request.max_content_length or 0) - FORM_LIMIT
    if most <= 0:
        return HTTP_ERRORS[413]
    size = f"{most / 1e9:.1f} GB" if most >= 1e9 else f"{most / 1e6:.1f} MB"
    return replace(
        HTTP_ERRORS[413], sentence=f"Counterpart accepts files of up to {size} here. Nothing was saved."
    )


def _csrf(_error: CSRFError) -> Response:
    """CSRF tokens have no time limit, so one that does not match belongs to another session."""
    if not current_user.is_authenticated or not is_htmx():
        return answer(OLD_PAGE, 400)
    response = answer(SIGNED_IN_AGAIN, 400)
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
        view = ErrorView(outage.code, outage.title, outage.sentence, outage.next_step, outage.owner)
        response = answer(view, 503)
        response.headers["Retry-After"] = str(outage.retry_after)
        return response
    log.exception("request.failed", request_id=g.get("request_id", ""), endpoint=request.endpoint)
    return answer(UNEXPECTED, 500)


def init_app(app: Flask) -> None:
    app.register_error_handler(RefusedError, _refused)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
