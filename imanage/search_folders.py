"""The content of search folders, on servers that refuse `children` for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .client import Client
from .errors import ForbiddenError, ImanageError, NotFoundError, RejectedError
from .ids import object_path
from .responses import page
from .types import Page

T = TypeVar("T")

_FIELDS = {
    "document": [
        "id", "database", "document_number", "version", "wstype", "name", "extension", "type", "size", "checksum",
        "latest", "author", "author_description", "operator", "last_user", "create_date", "edit_date",
        "is_checked_out", "is_in_use", "in_use_by", "access", "comment", "workspace_id", "workspace_name",
    ],
    "folder": [
        "id", "name", "wstype", "folder_type", "view_type", "parent_id", "workspace_id", "edit_date",
        "effective_security",
    ],
}  # fmt: skip


def or_browse(
    client: Client,
    folder_id: str,
    list_children: Callable[[], Page[T]],
    read: Callable[[dict[str, Any]], T | None],
    offset: int,
    limit: int,
    *,
    is_for_reader: bool = False,
) -> Page[T]:
    """The children of a folder or, where the server refuses them, what `children/browse` gives.

    For a reader that is tried after 403 and 404 too; a save takes them for what they say.
    That call is not known to have pages: all rows are read, and this page is cut from them.
    """
    try:
        return list_children()
    except ImanageError as error:
        refusal = error
    is_hidden = is_for_reader and isinstance(refusal, NotFoundError | ForbiddenError)
    if not (isinstance(refusal, RejectedError) or refusal.status == 501 or is_hidden):
        raise refusal
    path = object_path("folders", folder_id, "children", "browse")
    try:
        rows = client.lists("POST", path, body={"profile_fields": _FIELDS}, reads=True)
    except (RejectedError, NotFoundError, ForbiddenError):
        raise refusal from None
    found = page(rows, read, 0, len(rows.rows) + rows.malformed + 1, has_pages=False)
    items, end = found.items[offset : offset + limit], offset + limit
    more = end < len(found.items)
    return Page(
        items,
        len(found.items),
        more,
        end if more else None,
        unreadable=0 if offset else found.unreadable,
        is_cut=found.is_cut,
    )
