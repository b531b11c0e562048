"""All that the product knows of HX- headers: which answer a fragment gets, and how a page is told to do something."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, make_response, request
from htmx_flask import request as htmx_request
from werkzeug.wrappers import Response

TOASTS = "#toasts"


def is_htmx() -> bool:
    """Whether the page asked for a fragment. A boosted or history request wants the whole page."""
    htmx: Any = getattr(htmx_request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page_behind() -> str:
    """The path of the page that a fragment was asked for, where a person would come back to."""
    page, _, _ = request.headers.get("HX-Current-URL", "").partition("#")
    return f"/{page.removeprefix(request.host_url)}" if page.startswith(request.host_url) else ""


def redirect_whole_page(url: str) -> Response:
    """An empty answer on which htmx loads `url` as a page."""
    response = make_response("", 204)
    response.headers["HX-Redirect"] = url
    return response


def go_to(url: str) -> Response:
    """After a write: the page moves on, with or without htmx."""
    if is_htmx():
        return redirect_whole_page(url)
    response = make_response("", 303)
    response.headers["Location"] = url
    return response


def fragment(html: str | Response, status: int = 200, **triggers: Any) -> Response:
    """A fragment, with events that the page hears: `fragment(html, closeDialog=True)`."""
    response = make_response(html, status)
    if triggers:
        response.headers["HX-Trigger"] = json.dumps(triggers)
    return response


def toast(html: str, status: int) -> Response:
    """A fragment that goes to the toasts wherever it was asked from, so that nothing on the page is lost."""
    response = make_response(html, status)
    response.headers["HX-Retarget"] = TOASTS
    response.headers["HX-Reswap"] = "beforeend"
    return response


def placed(html: str, status: int, target: str) -> Response:
    """A fragment that goes inside `target`, also where it tells of an error."""
    return retarget(make_response(html, status), target)


def retarget(response: Response, target: str) -> Response:
    """The same answer, put inside `target` in place of where the request meant to put it."""
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def _vary(response: Response) -> Response:
    if request.endpoint != "static":
        response.vary.add("HX-Request")
    return response


def init_app(app: Flask) -> None:
    app.after_request(_vary)
