"""Searches for documents, workspaces and folders, by query string and by body; unknown filters are refused."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, g, request

from simulator.fields import BOOLEANS, CUSTOMS, FIELDS, FILTERS, PAGING
from simulator.profiles import container_row, document_profile, document_row
from simulator.values import Container, Document, Version
from simulator.web import (
    RefusedError,
    body_json,
    checked_limit,
    invalid,
    limit_and_offset,
    listing,
    me,
    parsed_date,
    split_id,
    state,
    total_of,
    visible,
)

Row = dict[str, Any]


def as_filters(given: Mapping[str, Any], kind: str) -> Row:
    """The filters among the query parameters; an unknown one is refused by name."""
    return checked({name: value for name, value in given.items() if name not in PAGING}, kind)


def checked(filters: Row, kind: str) -> Row:
    clean: Row = {}
    for name, value in filters.items():
        if name not in FILTERS[kind] or name in state().settings.filters_refused:
            raise invalid(name, f"{name} is not a filter for {kind}s")
        if name in BOOLEANS:
            if str(value).lower() not in ("true", "false"):
                raise invalid(name)
            value = str(value).lower() == "true"
        elif isinstance(value, list | dict):
            raise invalid(name)
        clean[name] = value
    return clean


def require_index(kind: str) -> None:
    if kind == "document" and not state().settings.search_index:
        raise RefusedError(500, "NRC_INDEX_UNAVAILABLE", "The search index is not available")


# -- documents ---------------------------------------------------------------------------------------------


def find_documents(filters: Row) -> list[tuple[Document, Version]]:
    """Matching documents with their latest version; all versions if `latest` is false or a version is given."""
    tests = [_document_test(name, str(value)) for name, value in filters.items() if name in _TESTS]
    tests += [_field_test(name, str(value)) for name, value in filters.items() if name in CUSTOMS]
    every = filters.get("latest") is False or "document_version" in filters
    return [
        (document, version)
        for document in visible(_candidates(filters))
        for version in (document.versions if every else (document.latest,))
        if all(test(document, version) for test in tests) and _states(filters, document, version)
    ]


def _candidates(filters: Row) -> Iterable[Document]:
    world = state().world
    if "container_id" not in filters:
        return [one for each in g.libraries for one in world.documents(each.id)]
    top = _container(filters)
    containers = world.under(top) if filters.get("include_subtree", True) else [top]
    found = {document.key: document for container in containers for document in world.documents_in(container)}
    return found.values()


def _container(filters: Row) -> Container:
    """The container that a search is limited to, in whichever of the call's libraries its id names."""
    name = str(filters["container_id"])
    for each in g.libraries:
        if name.upper().startswith(f"{each.id.upper()}!"):
            top = state().world.container(each.id, split_id(name, each)[0])
            if top and visible([top]):
                return top
    raise invalid("container_id", "The container does not exist")


def _contains(needle: str, *hay: str) -> bool:
    """Whether one line of the haystack contains every word of the needle; a star matches anything."""
    lines = "\n".join(hay).casefold().split("\n")
    return all(any(_matches_word(word, line) for line in lines) for word in needle.casefold().split())


def _matches_word(word: str, line: str) -> bool:
    """Match the pieces between stars in order. Not a regular expression, which many stars would slow to minutes."""
    at = 0
    for piece in word.split("*"):
        at = line.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


_RELATIVE = re.compile(r"-?\d{1,4}[dwmy](:-?\d{1,4}[dwmy])?")
_CUSTOM = re.compile(r"custom([1-9]|[12]\d|3[01])(_description)?")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def _relative(text: str, name: str) -> tuple[datetime, datetime]:
    """`-30d` means the last thirty days; `-2w:0d` is a range."""
    if not _RELATIVE.fullmatch(text):
        raise invalid(name)
    ends = [timedelta(days=int(part[:-1]) * _DAYS[part[-1]]) for part in text.split(":")]
    at = datetime.now(UTC)
    return at + ends[0], at + (ends[1] if len(ends) > 1 else timedelta())


Test = Callable[[Document, Version], bool]
_TESTS: dict[str, Callable[[str, Document, Version], bool]] = {
    "anywhere": lambda t, d, v: _contains(t, v.name, v.comment, v.author, *v.profile.values(), str(d.number)),
    "body": lambda t, d, v: _contains(t, v.name, v.comment),
    "name": lambda t, d, v: _contains(t, v.name),
    "subject": lambda t, d, v: v.type == "MIME" and _contains(t, v.email.subject if v.email else v.name),
    "comments": lambda t, d, v: _contains(t, v.comment),
    "sender": lambda t, d, v: v.email is not None and _contains(t, v.email.sender),
    "recipient": lambda t, d, v: v.email is not None and _contains(t, v.email.to, v.email.cc, v.email.bcc),
    "sent_date": lambda t, d, v: (
        v.email is not None and v.email.sent.date() == parsed_date(t, "sent_date").date()
    ),
    "received_date": lambda t, d, v: (
        v.email is not None and v.email.received.date() == parsed_date(t, "received_date").date()
    ),
    "name_comments": lambda t, d, v: _contains(t, v.name, v.comment),
    "document_number": lambda t, d, v: t == str(d.number),
    "document_version": lambda t, d, v: t == str(v.number),
    "alias": lambda t, d, v: False,
    "author": lambda t, d, v: t.upper() == v.author,
    "operator": lambda t, d, v: t.upper() == v.operator,
    "last_user": lambda t, d, v: t.upper() == v.last_user,
    "user": lambda t, d, v: t.upper() in (v.author, v.operator, v.last_user),
    "owner": lambda t, d, v: t.upper() == v.author,
    "in_use_by": lambda t, d, v: d.lock is not None and d.lock.user == t.upper(),
    "class": lambda t, d, v: t.upper() == v.class_,
    "type": lambda t, d, v: v.type in t.upper().split(","),
    "extension": lambda t, d, v: t.lower().lstrip(".") == v.extension.lower(),
    "libraries": lambda t, d, v: d.library.upper() in t.upper().split(","),
    "edit_date_from": lambda t, d, v: v.edited >= parsed_date(t, "edit_date_from"),
    "edit_date_to": lambda t, d, v: v.edited <= parsed_date(t, "edit_date_to"),
    "create_date_from": lambda t, d, v: v.created >= parsed_date(t, "create_date_from"),
    "create_date_to": lambda t, d, v: v.created <= parsed_date(t, "create_date_to"),
    "edit_date_relative": lambda t, d, v: _within(v.edited, _relative(t, "edit_date_relative")),
    "create_date_relative": lambda t, d, v: _within(v.created, _relative(t, "create_date_relative")),
}


def _within(at: datetime, ends: tuple[datetime, datetime]) -> bool:
    return ends[0] <= at <= ends[1]


def _document_test(name: str, text: str) -> Test:
    test = _TESTS[name]
    return lambda document, version: test(text, document, version)


def _is_one_of(value: str, text: str) -> bool:
    """Whether a custom field's value is the one asked for, or one of a list with commas."""
    return value.upper() == text.upper() or value.upper() in text.upper().split(",")


def _field_test(name: str, text: str) -> Test:
    world = state().world

    def test(document: Document, version: Version) -> bool:
        folder = world.container(document.library, document.folders[0])
        workspace = world.container(document.library, folder.workspace) if folder else None
        custom = {**(workspace.custom if workspace else {}), **version.profile}
        return _is_one_of(custom.get(name, ""), text)

    return test


def _states(filters: Row, document: Document, version: Version) -> bool:
    locked = document.lock is not None
    for name in ("in_use", "checked_out"):
        if name in filters and filters[name] is not locked:
            return False
    if filters.get("exclude_emails") and version.type == "MIME":
        return False
    if filters.get("email_only") and version.type != "MIME":
        return False
    if "has_attachment" in filters:
        attached = version.email is not None and version.email.has_attachment
        if attached is not filters["has_attachment"]:
            return False
    return not filters.get("personalized") or any(line.user == me().id for line in document.history)


def documents_by_query() -> Response:
    """The GET search, with offsets or with a cursor that remains valid while documents are added and removed."""
    filters = as_filters(request.args, "document")
    require_index("document")
    mode = request.args.get("paging_mode", "standard")
    limit, offset = limit_and_offset()
    descending = request.args.get("sort_order", "desc").lower() != "asc"
    if mode == "standard_cursor":
        for ignored in ("anywhere", "comments"):
            filters.pop(ignored, None)
        found = sorted(find_documents(filters), key=_position)
        after = _read_cursor(request.args.get("cursor", ""))
        rest = [one for one in found if _position(one) > after]
        page = rest[:limit]
        cursor = _cursor(_position(page[-1])) if len(rest) > limit else None
        return listing([document_row(*one) for one in page], "results", cursor=cursor)
    if mode != "standard":
        raise invalid("paging_mode")
    found = sorted(
        find_documents(filters), key=lambda one: (one[1].edited, _position(one)), reverse=descending
    )
    found = found[: state().settings.search_cap]
    page = found[offset : offset + limit]
    return listing([document_row(*one) for one in page], "results", total_count=total_of(found))


def _position(one: tuple[Document, Version]) -> tuple[str, int, int]:
    return (one[0].library, one[0].number, one[1].number)


def _cursor(position: tuple[str, int, int]) -> str:
    return base64.urlsafe_b64encode("|".join(map(str, position)).encode()).decode()


def _read_cursor(text: str) -> tuple[str, int, int]:
    if not text:
        return ("", 0, 0)
    try:
        library, number, version = base64.urlsafe_b64decode(text).decode().rsplit("|", 2)
        return (library, int(number), int(version))
    except ValueError as error:
        raise invalid("cursor") from error


# -- workspaces and folders --------------------------------------------------------------------------------


def find_workspaces(filters: Row) -> list[Container]:
    world = state().world
    wanted = str(filters.get("libraries", "")).upper().split(",") if filters.get("libraries") else None
    libraries = [one for one in g.libraries if wanted is None or one.id.upper() in wanted]
    found = [
        one
        for each in libraries
        for one in visible(world.workspaces(each.id))
        if _container_fits(one, filters)
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.number))


def find_folders(filters: Row) -> list[Container]:
    world = state().world
    if "container_id" in filters:
        top = _container(filters)
        candidates = [one for one in world.under(top) if one.number != top.number]
    else:
        candidates = [o for each in g.libraries for o in world.containers(each.id) if o.kind == "folder"]
    return [one for one in visible(candidates) if _container_fits(one, filters)]


def _container_fits(one: Container, filters: Row) -> bool:
    texts = {
        "name": (one.name,),
        "description": (one.description,),
        "name_or_description": (one.name, one.description),
        "anywhere": (one.name, one.description, *one.custom.values()),
    }
    for name, value in filters.items():
        if name in texts and not _contains(str(value), *texts[name]):
            return False
        if name == "owner" and str(value).upper() != one.owner:
            return False
        if name in CUSTOMS and not _is_one_of(one.custom.get(name, ""), str(value)):
            return False
        if name == "workspace_name":
            workspace = state().world.container(one.library, one.workspace)
            if workspace is None or not _contains(str(value), workspace.name):
                return False
    return True


# -- POST searches -----------------------------------------------------------------------------------------------


def searched(kind: str) -> Response:
    """The POST search: `data` is an array with `overflow` beside it; unknown names are refused."""
    body = body_json("limit", "filters", "profile_fields", "timezone_offset")
    limit = body.get("limit", state().settings.default_limit)
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise invalid("limit")
    limit = min(checked_limit(limit), state().settings.search_cap)
    filters = body.get("filters") or {}
    if not isinstance(filters, dict):
        raise invalid("filters")
    filters = checked(filters, kind)
    require_index(kind)
    wanted = requested(body.get("profile_fields"), kind)
    if kind == "document":
        found = sorted(find_documents(filters), key=lambda one: (one[1].edited, _position(one)), reverse=True)
        rows = [cut(document_profile(*one), wanted) for one in found[:limit]]
        return listing(rows, overflow=len(found) > limit)
    containers = find_workspaces(filters) if kind == "workspace" else find_folders(filters)
    return listing(
        [cut(container_row(one), wanted) for one in containers[:limit]], overflow=len(containers) > limit
    )


def requested(given: Any, kind: str) -> frozenset[str]:
    """The requested fields; by default only id, wstype and iwl."""
    if given is None:
        return frozenset(("id", "wstype", "iwl"))
    if not isinstance(given, dict) or not set(given) <= set(FILTERS):
        raise invalid("profile_fields")
    names = given.get(kind, ["id", "wstype", "iwl"])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid("profile_fields")
    for name in names:
        if name not in FIELDS[kind] and not _CUSTOM.fullmatch(name):
            raise invalid(name, f"{name} is not a field of {kind}s")
    return frozenset(names)


def cut(row: Row, wanted: frozenset[str]) -> Row:
    return {name: value for name, value in row.items() if name in wanted}
