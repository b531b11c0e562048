"""What an address asks for, within bounds: a page or a place of a list, and the words of a search.

Words that somebody looks for are names of people, clients and matters, so they stand in no address: a page sends them
in a header while one types, and its own links carry them sealed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor
from blueprints.htmx import is_htmx, page_behind
from services.access import rate_limits
from services.core import sealed_query

LAST_PAGE = 100_000
FURTHEST = 10_000_000
LONGEST_SEARCH = 200
WORDS = "X-Search"
SEALED = "s"
COUNTED = "counterpart.search_counted"


def page_number() -> int:
    """The page of a list. What is no number is the first."""
    return min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)


def offset(name: str) -> int:
    """How many of a list stand before what is asked for. What is no number is none."""
    return min(max(request.values.get(name, 0, type=int), 0), FURTHEST)


def is_search() -> bool:
    """Whether words are sent, be they none."""
    return WORDS in request.headers or "q" in request.args or SEALED in request.args


def search_text() -> str:
    """What is searched for. Counted once a request: raises RateLimitedError."""
    words = _words()
    if words.strip():
        count_search()
    return words


def count_search() -> None:
    """One more search of this member's, once a request. Raises RateLimitedError."""
    if COUNTED not in request.environ:
        request.environ[COUNTED] = True
        rate_limits.require(actor().id, rate_limits.SEARCHES)


def _words() -> str:
    """As sent by the page, or sealed in a link. `q` is what a form sends in a browser without scripts."""
    if WORDS in request.headers:
        words = unquote(request.headers[WORDS], errors="replace")
    elif SEALED in request.args:
        words = sealed_query.unseal(request.args[SEALED])
    else:
        words = request.args.get("q", "")
    return words[:LONGEST_SEARCH]


def _stay_at(response: Response) -> Response:
    """A page that was searched keeps its search when it is loaded again, or come back to."""
    if WORDS in request.headers and is_htmx() and urlsplit(page_behind()).path == request.path:
        query: dict[str, Any] = request.args.to_dict(flat=False) | (request.view_args or {})
        query |= {"q": None, "page": None, SEALED: sealed_query.seal(_words()) or None}
        response.headers["HX-Replace-Url"] = url_for(request.endpoint or "", **query)
    return response


def init_app(app: Flask) -> None:
    app.add_template_filter(lambda words: sealed_query.seal(words) or None, "sealed")
    app.after_request(_stay_at)
