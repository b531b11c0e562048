"""Reads lists: `data` may be an object, an array or `{results: [...]}`, with the counts beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import NotIManageError
from .profiles import number
from .types import Page

T = TypeVar("T")


@dataclass(frozen=True)
class Listing:
    """The rows of a response and its paging fields. `malformed` counts entries that are not objects."""

    rows: tuple[dict[str, Any], ...]
    total: int | None = None
    overflow: bool | None = None
    cursor: str | None = None
    malformed: int = 0


def listing(payload: Any) -> Listing:
    """Read a response in any of its shapes. Raises NotIManageError without `data`."""
    if not isinstance(payload, dict) or "data" not in payload:
        raise NotIManageError
    data = payload["data"]
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        data = data["results"]
    if isinstance(data, dict):
        data = [data] if data else []
    if data is not None and not isinstance(data, list):
        raise NotIManageError
    cursor, overflow = payload.get("cursor"), payload.get("overflow")
    rows = tuple(row for row in data or () if isinstance(row, dict))
    return Listing(
        rows=rows,
        malformed=len(data or ()) - len(rows),
        total=number(payload, "total_count") if isinstance(payload.get("total_count"), int) else None,
        overflow=overflow if isinstance(overflow, bool) else None,
        cursor=cursor if isinstance(cursor, str) and cursor else None,
    )


def page(found: Listing, read: Callable[[dict[str, Any]], T | None], offset: int, limit: int) -> Page[T]:
    """A page of values. Unreadable rows are skipped but counted towards the next offset."""
    items = tuple(item for item in map(read, found.rows) if item is not None)
    entries = len(found.rows) + found.malformed
    end = offset + entries
    if not entries:
        more = False
    elif found.total is not None:
        more = end < found.total
    else:
        more = bool(found.overflow) or entries >= limit
    return Page(items, found.total, more, end if more else None, entries - len(items))
