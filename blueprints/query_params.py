"""Query parameters within bounds: the page or offset of a list, and the search text.

Search text contains names of people, clients and matters, so it is never in a URL as it is: pages send it in a header
while someone types, and their links carry it encrypted.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor
from blueprints.htmx import is_htmx, page_behind
from services.access import rate_limits
from services.core import sealed_query
from services.core.pagination import Page

LAST_PAGE = 100_000
MAX_OFFSET = 10_000_000
LONGEST_SEARCH = 200
WORDS = "X-Search"
SEALED = "s"
COUNTED = "counterpart.search_counted"


def page_number() -> int:
    """The page of a list; 1 if it is not a number."""
    return min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)


def sort_name() -> str:
    """The column that a list is to be sorted by, perhaps with a minus. Lists ignore what is none of theirs."""
    return request.args.get("sort", "")


def sort_column(label: str, name: str, found: Page[Any], kind: str | None = None) -> dict[str, str | None]:
    """The header of a column for ui.table, with a link that sorts by it, or the other way round."""
    direction = {name: "ascending", f"-{name}": "descending"}.get(found.sort)
    greatest_first = direction == "ascending" or (direction is None and kind is not None)
    query: dict[str, Any] = request.args.to_dict(flat=False)
    query |= {SEALED: sealed_query.seal(found.search) or [], "sort": f"-{name}" if greatest_first else name}
    query |= dict.fromkeys(("q", "page", "open"), ())
    return {"label": label, "kind": kind, "direction": direction, "url": f"?{urlencode(query, doseq=True)}"}


def offset(name: str) -> int:
    """The offset in a list; 0 if it is not a number."""
    return min(max(request.values.get(name, 0, type=int), 0), MAX_OFFSET)


def is_search() -> bool:
    """Whether a search was sent, even an empty one."""
    return WORDS in request.headers or "q" in request.args or SEALED in request.args


def search_text() -> str:
    """The search text. Counts once for each request: raises RateLimitedError."""
    words = _words()
    if words.strip():
        count_search()
    return words


def count_search() -> None:
    """Count a search of this member, once for each request. Raises RateLimitedError."""
    if COUNTED not in request.environ:
        request.environ[COUNTED] = True
        rate_limits.require(actor().person_id, rate_limits.SEARCHES)


def _words() -> str:
    """As sent by the page, or encrypted in a link. A form without scripts sends `q`."""
    if WORDS in request.headers:
        words = unquote(request.headers[WORDS], errors="replace")
    elif SEALED in request.args:
        words = sealed_query.unseal(request.args[SEALED])
    else:
        words = request.args.get("q", "")
    return words[:LONGEST_SEARCH]


def _keep_search(response: Response) -> Response:
    """Put the encrypted search into the page's URL, so that reloading and going back keep it."""
    if WORDS in request.headers and is_htmx() and urlsplit(page_behind()).path == request.path:
        query: dict[str, Any] = request.args.to_dict(flat=False) | (request.view_args or {})
        query |= {"q": None, "page": None, SEALED: sealed_query.seal(_words()) or None}
        response.headers["HX-Replace-Url"] = url_for(request.endpoint or "", **query)
    return response


def init_app(app: Flask) -> None:
    app.add_template_filter(lambda words: sealed_query.seal(words) or None, "sealed")
    app.add_template_global(sort_column)
    app.after_request(_keep_search)
