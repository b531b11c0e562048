"""Change events: what happened to a library's documents since a position in its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .client import Client
from .errors import BadIdError, NotUnderstoodError
from .ids import VersionId, library_path
from .profiles import boolean, text

MOST_EVENTS = 500
MOST_CURSOR = 200


@dataclass(frozen=True)
class Changes:
    """`documents`: the numbers of documents with an event. `is_wide`: something else changed that may concern any.

    `cursor` is the position after these events; with `has_more` others follow.
    """

    documents: frozenset[int]
    is_wide: bool
    cursor: str
    has_more: bool


def changes(client: Client, library: str, cursor: str) -> Changes:
    """The events after `cursor`, and the new position; without a cursor only the position from which to follow.

    One call. Raises NotUnderstoodError where the server names no position.
    """
    params: dict[str, str | int] = {"limit": client.facts.limit(MOST_EVENTS)}
    if cursor:
        params["cursor"] = cursor
    payload = client.json("GET", library_path(library, "change-events"), params=params)
    rows = payload.get("data") if isinstance(payload, dict) else None
    position = text(payload, "cursor") if isinstance(payload, dict) else None
    if not isinstance(rows, list) or not position or len(position) > MOST_CURSOR:
        raise NotUnderstoodError("iManage returned change events without a position.")
    numbers = [_document(row) for row in rows if isinstance(row, dict)]
    return Changes(
        documents=frozenset(number for number in numbers if number),
        is_wide=None in numbers,
        cursor=position,
        has_more=boolean(payload, "overflow") or False,
    )


def _document(row: dict[str, Any]) -> int | None:
    """The number of the document that the event is about; 0 for an event that concerns no document's access.

    None for one that may concern any: the security, move or end of a folder or workspace, or a change of people.
    """
    kind, action = text(row, "item_type") or "", text(row, "action_type") or ""
    if kind == "document":
        try:
            return VersionId.parse(text(row, "object_id") or "", 1).number
        except BadIdError:
            return None
    if kind == "container":
        is_about_access = action in {"security_update", "delete", "container_move", "container_unlink"}
        return None if is_about_access else 0
    return None if kind in {"user", "group"} else 0
