"""htmx: request and response headers."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, make_response, request
from htmx_flask import request as htmx_request
from werkzeug.wrappers import Response

TOASTS = "#toasts"


def is_htmx() -> bool:
    """Whether the request is for a fragment. Boosted and history requests are for the whole page."""
    htmx: Any = getattr(htmx_request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page_behind() -> str:
    """The path of the page that sent an htmx request."""
    page, _, _ = request.headers.get("HX-Current-URL", "").partition("#")
    return f"/{page.removeprefix(request.host_url)}" if page.startswith(request.host_url) else ""


def redirect_whole_page(url: str) -> Response:
    """An empty response that makes htmx load `url` as a page."""
    response = make_response("", 204)
    response.headers["HX-Redirect"] = url
    return response


def go_to(url: str) -> Response:
    """Redirect after a write, with or without htmx."""
    if is_htmx():
        return redirect_whole_page(url)
    response = make_response("", 303)
    response.headers["Location"] = url
    return response


def fragment(html: str | Response, status: int = 200, **triggers: Any) -> Response:
    """A fragment that triggers events on the page: `fragment(html, closeDialog=True)`."""
    response = make_response(html, status)
    if triggers:
        response.headers["HX-Trigger"] = json.dumps(triggers)
    return response


def toast(html: str, status: int) -> Response:
    """A fragment that is added to the toasts, so that nothing on the page is replaced."""
    response = make_response(html, status)
    response.headers["HX-Retarget"] = TOASTS
    response.headers["HX-Reswap"] = "beforeend"
    return response


def placed(html: str, status: int, target: str) -> Response:
    """A fragment that is swapped into `target`, even with an error status."""
    return retarget(make_response(html, status), target)


def retarget(response: Response, target: str) -> Response:
    """Swap the response into `target` instead of the request's own target."""
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def _vary(response: Response) -> Response:
    if request.endpoint != "static":
        response.vary.add("HX-Request")
    return response


def init_app(app: Flask) -> None:
    app.after_request(_vary)
