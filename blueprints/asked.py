"""What an address asks for, within bounds: a page or a place of a list, and the words of a search."""

from __future__ import annotations

from flask import request

LAST_PAGE = 100_000
FURTHEST = 10_000_000
LONGEST_SEARCH = 200


def page_number() -> int:
    """The page of a list. What is no number is the first."""
    return min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)


def place(name: str) -> int:
    """How many of a list stand before what is asked for. What is no number is none."""
    return min(max(request.args.get(name, 0, type=int), 0), FURTHEST)


def search_text() -> str:
    return request.args.get("q", "")[:LONGEST_SEARCH]
