"""Converts JSON rows to values. Servers differ in field names and types, so every field is read tolerantly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from .errors import BadIdError, NotIManageError
from .ids import MAX_NUMBER, VersionId, library_of
from .server_facts import ASSUMED, ServerFacts
from .types import CategoryType, Container, Document, Library

Row = Mapping[str, Any]

_SHA256 = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})", re.IGNORECASE)

_SEARCH_VIEWS = frozenset({"document_search", "email_search"})
_CONTAINERS = frozenset({"workspace", "folder", "tab", "category"})
_MAX_TEXT = 4000
_MAX_DIGITS = len(str(MAX_NUMBER))


def document(row: Row, facts: ServerFacts = ASSUMED) -> Document:
    """A document's profile, or NotIManageError."""
    found = document_or_none(row, facts)
    if found is None:
        raise NotIManageError("iManage returned something that is not a document.")
    return found


def document_or_none(row: Row, facts: ServerFacts = ASSUMED) -> Document | None:
    """A document's profile, also through a shortcut; None if the row is not a document.

    A size or checksum that says nothing about the bytes on this server is left out.
    """
    row = _resolve_shortcut(row)
    try:
        id = VersionId.parse(_id(row), number(row, "version"))
    except BadIdError:
        return None
    return Document(
        id=id,
        name=text(row, "name") or "",
        extension=(text(row, "extension") or "").lstrip("."),
        size=number(row, "size") if facts.sizes else None,
        checksum=checksum(text(row, "checksum")) if facts.checksum == "sha256" else None,
        author=text(row, "author"),
        author_name=text(row, "author_description"),
        operator=text(row, "operator"),
        operator_name=text(row, "operator_description"),
        last_user=text(row, "last_user"),
        last_user_name=text(row, "last_user_description"),
        edited_at=moment(row, "edit_date", "file_edit_date"),
        created_at=moment(row, "create_date", "file_create_date"),
        type=text(row, "type"),
        latest=number(row, "latest"),
        is_checked_out=boolean(row, "is_checked_out") or False,
        in_use=boolean(row, "is_in_use", "in_use") or False,
        in_use_by=text(row, "in_use_by"),
        in_use_by_name=text(row, "in_use_by_description"),
        checkout_at=moment(row, "checkout_date"),
        access=text(row, "access", "effective_security"),
        workspace_id=text(row, "workspace_id"),
        workspace_name=text(row, "workspace_name"),
        url=text(row, "document_url", "share_url"),
        comment=text(row, "comment"),
        is_email=text(row, "wstype") == "email",
        operations=operations(row["operations"]) if isinstance(row.get("operations"), dict) else None,
    )


def container(row: Row) -> Container:
    """A workspace or folder, or NotIManageError."""
    found = container_or_none(row)
    if found is None:
        raise NotIManageError("iManage returned something that is not a workspace or folder.")
    return found


def container_or_none(row: Row) -> Container | None:
    """A workspace, folder or category, also through a shortcut; None if the row has no valid id."""
    row = _resolve_shortcut(row)
    given = _id(row)
    try:
        library = library_of(given)
    except BadIdError:
        return None
    kind = _kind_of_container(row)
    is_workspace = kind == "workspace"
    profile = row["profile"] if isinstance(row.get("profile"), dict) else {}
    return Container(
        id=given,
        name=text(row, "name") or "",
        kind=kind,
        library=library,
        parent_id=text(row, "parent_id"),
        workspace_id=given if is_workspace else text(row, "workspace_id"),
        folder_type=text(row, "folder_type"),
        view_type=text(row, "view_type"),
        category_type=_category_type(row),
        is_search=text(row, "folder_type") == "search"
        or text(row, "view_type") in _SEARCH_VIEWS
        or bool(boolean(row, "is_container_saved_search") or boolean(row, "is_content_saved_search")),
        client=text(row, "custom1_description", "custom1") or text(profile, "custom1_description", "custom1"),
        matter=text(row, "custom2_description", "custom2") or text(profile, "custom2_description", "custom2"),
        client_number=text(row, "custom1") or text(profile, "custom1"),
        matter_number=text(row, "custom2") or text(profile, "custom2"),
        edited_at=moment(row, "edit_date"),
        url=text(row, "workspace_url" if is_workspace else "folder_url"),
        access=text(row, "effective_security", "access"),
    )


def _kind_of_container(row: Row) -> Literal["workspace", "folder", "category"]:
    """By `wstype`; rows without one are categories or folders where they have a type of these, else workspaces."""
    named = (text(row, "wstype") or text(row, "type") or "").removesuffix("_shortcut")
    if named == "workspace":
        return "workspace"
    if named == "category" or (named != "folder" and text(row, "category_type")):
        return "category"
    return "folder" if named in {"folder", "tab"} or text(row, "folder_type") else "workspace"


def _category_type(row: Row) -> CategoryType | None:
    given = text(row, "category_type")
    return cast(CategoryType, given) if given in get_args(CategoryType) else None


def item_or_none(row: Row, facts: ServerFacts = ASSUMED) -> Container | Document | None:
    """A child of a folder: told apart by `wstype`, else by `folder_type`, else by `document_number`."""
    wstype = (text(row, "wstype") or "").removesuffix("_shortcut")
    if wstype in {"document", "email"}:
        return document_or_none(row, facts)
    if wstype in _CONTAINERS or text(row, "folder_type", "category_type"):
        return container_or_none(row)
    return document_or_none(row, facts) if number(row, "document_number") is not None else None


def library(row: Row) -> Library | None:
    """A document library; None for a link site."""
    given = _id(row) or text(row, "alias")
    if given is None or text(row, "type") == "linksite":
        return None
    hidden = boolean(row, "is_hidden") or False
    return Library(id=given, name=text(row, "display_name") or given, hidden=hidden)


def operations(row: Row) -> dict[str, bool]:
    """What the user may do, by the server's own names."""
    return {name: value for name, value in row.items() if isinstance(value, bool)}


def _id(row: Row) -> str:
    """The id unchanged: a corrected id would be another object's."""
    value = row.get("id")
    return value if isinstance(value, str) else ""


def _resolve_shortcut(row: Row) -> Row:
    """The target of a shortcut, completed with the shortcut's own fields."""
    target = row.get("target")
    if not isinstance(target, dict) or not _id(target):
        return row
    kind = text(target, "wstype", "type") or (text(row, "wstype") or "").removesuffix("_shortcut")
    return {**row, **target, "wstype": kind.lower()}


def text(row: Row, *names: str) -> str | None:
    """The first of these fields that is not empty."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return storable(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def storable(value: str) -> str:
    """A string without NUL and lone surrogates, which no database or page can hold, cut to 4,000 characters."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()[:_MAX_TEXT]


def number(row: Row, name: str) -> int | None:
    """A non-negative integer, also from a string."""
    value = row.get(name)
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= MAX_NUMBER else None


def boolean(row: Row, *names: str) -> bool | None:
    """A boolean, also from a string."""
    for name in names:
        value = row.get(name)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
    return None


def moment(row: Row, *names: str) -> datetime | None:
    """An aware UTC time from ISO 8601; without a zone it is read as UTC."""
    for name in names:
        value = row.get(name)
        if not isinstance(value, str):
            continue
        try:
            parsed = datetime.fromisoformat(value)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def checksum(value: str | None) -> str | None:
    """Lower-case hex of a SHA-256; None for other kinds of checksum."""
    found = _SHA256.fullmatch(value.strip()) if value else None
    return found[1].lower() if found else None
