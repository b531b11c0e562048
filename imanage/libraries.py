"""Lists of a customer; where a server refuses them, those of its libraries, one call each, as one list."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

from . import profiles
from .client import Client, Params
from .errors import (
    ForbiddenError,
    ImanageError,
    IndexUnavailableError,
    NotFoundError,
    NotUnderstoodError,
    RejectedError,
    ServerFaultError,
    ThrottledError,
    UnreachableError,
)
from .ids import library_path
from .responses import page
from .types import Document, Library, Page

T = TypeVar("T")

MOST = 8
"""The libraries asked for one list. The names of the others are given as missing."""
_OF_ONE_LIBRARY = (
    ForbiddenError,
    IndexUnavailableError,
    NotFoundError,
    NotUnderstoodError,
    RejectedError,
    ServerFaultError,
)
_OF_THE_SERVER = (ThrottledError, UnreachableError)


def libraries(client: Client) -> tuple[Library, ...]:
    """The document libraries of this customer."""
    rows = client.lists("GET", "libraries").rows
    return tuple(found for found in map(profiles.library, rows) if found is not None)


def is_absent(error: ImanageError) -> bool:
    """Whether an error says that the server does not have such a list, rather than that the request was wrong."""
    if isinstance(error, RejectedError) and error.status == 400:
        return "librar" in (error.remote_message or "").lower()
    return isinstance(error, NotFoundError | ForbiddenError) or error.status in {405, 501}


def of_customer(
    client: Client,
    name: str,
    params: Params,
    read: Callable[[dict[str, Any]], T | None],
    offset: int,
    limit: int,
    *,
    preferred: str = "",
) -> Page[T]:
    """A page of the customer's list, or as many rows of the lists of all libraries."""
    has_pages = client.facts.has_pages
    refusal: ImanageError | None = None
    if client.facts.customer_lists:
        try:
            return page(client.lists("GET", name, params=params), read, offset, limit, has_pages=has_pages)
        except ImanageError as error:
            if not is_absent(error):
                raise
            refusal = error
            client.contradictions["customer_lists"] = f"{name} was refused for all libraries."
    names = _names(client, preferred, refusal)
    each = max(1, limit // min(len(names), MOST))

    def fetch(library: str) -> Page[T]:
        found = client.lists("GET", library_path(library, name), params={**params, "limit": each})
        return page(found, read, offset, each, has_pages=has_pages)

    return _merged(names, fetch, offset + each)


def of_libraries(client: Client, preferred: str, fetch: Callable[[str], Page[T]]) -> Page[T]:
    """A list that only libraries have, of all of them. A library that has no such list adds nothing to it."""

    def fetch_or_empty(library: str) -> Page[T]:
        try:
            return fetch(library)
        except NotFoundError:
            if library == preferred:
                raise
            return Page((), 0, False, None)

    return _merged(_names(client, preferred), fetch_or_empty)


def _names(client: Client, preferred: str, refusal: ImanageError | None = None) -> tuple[str, ...]:
    """The libraries that are not hidden, the preferred one first."""
    try:
        names = [each.id for each in libraries(client) if not each.hidden]
    except ImanageError as error:
        if not preferred or not is_absent(error):
            raise
        names = []
    key = preferred.casefold()
    first = [name for name in names if name.casefold() == key] or ([preferred] if preferred else [])
    names = [*first, *(name for name in names if name.casefold() != key)]
    if not names:
        raise refusal or NotFoundError("There is no library.")
    return tuple(names)


def _merged(
    names: tuple[str, ...], fetch: Callable[[str], Page[T]], next_offset: int | None = None
) -> Page[T]:
    """One page of those of the libraries. Raises the first error where none answers."""
    pages: list[Page[T]] = []
    missing = list(names[MOST:])
    failure: ImanageError | None = None
    for at, name in enumerate(names[:MOST]):
        try:
            pages.append(fetch(name))
        except _OF_ONE_LIBRARY as error:
            failure = failure or error
            missing.append(name)
        except _OF_THE_SERVER as error:
            failure = failure or error
            missing = [*missing, *names[at:MOST]]
            break
    if failure and not pages:
        raise failure
    more = any(each.more for each in pages)
    totals = [each.total for each in pages]
    return Page(
        items=tuple(
            {_key(item): item for item in chain.from_iterable(each.items for each in pages)}.values()
        ),
        total=None if more or missing or None in totals else sum(filter(None, totals)),
        more=more,
        next_offset=next_offset if more else None,
        unreadable=sum(each.unreadable for each in pages),
        is_cut=any(each.is_cut for each in pages),
        missing=tuple(missing),
    )


def _key(item: Any) -> object:
    return item.id if isinstance(item, Document) else (item.kind, item.id)
