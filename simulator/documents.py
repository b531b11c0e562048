"""Documents: search, profile, versions, history, operations, path, and the download of their bytes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import Response, g, request

from simulator.contents import Content
from simulator.doctypes import CLASSES
from simulator.names import checked_name
from simulator.profiles import (
    container_row,
    document_operations,
    document_profile,
    document_row,
    person,
    stamp,
)
from simulator.search import documents_by_query, searched
from simulator.values import Activity, Document, Version
from simulator.web import (
    Refusal,
    api_room,
    body_json,
    both,
    document_at,
    flag,
    invalid,
    json_answer,
    library,
    listing,
    me,
    page_of,
    record,
    split_id,
    state,
    visible,
)
from simulator.world import now

room = api_room("documents")
L = "/libraries/<lib>"
RECENT = 50


@both(room, "documents")
def documents() -> Response:
    return documents_by_query()


@room.post(f"{L}/documents/search")
def search_documents() -> Response:
    return searched("document")


@both(room, "recent-documents")
def recent_documents() -> Response:
    user, world = me().id, state().world
    touched = [
        one
        for place in g.libraries
        for one in world.documents(place.id)
        if any(line.user == user for line in one.history)
    ]
    touched.sort(key=lambda one: max(line.at for line in one.history if line.user == user), reverse=True)
    rows, _, total = page_of(visible(touched)[:RECENT])
    return listing([document_row(one) for one in rows], "results", total_count=total)


@both(room, "documents/checked-out")
def checked_out() -> Response:
    user = me().id
    mine = [
        one
        for place in g.libraries
        for one in state().world.documents(place.id)
        if one.lock and one.lock.user == user
    ]
    rows, _, total = page_of(mine)
    return listing([document_row(one) for one in rows], total_count=total)


@room.get(f"{L}/documents/<doc>")
def profile(doc: str) -> Response:
    document, version = document_at(doc, latest=flag("is_latest"))
    return record(document_profile(document, version, operations=flag("include_operations")))


@room.patch(f"{L}/documents/<doc>")
def change_profile(doc: str) -> Response:
    document, version = document_at(doc, "read_write")
    if document.lock:
        raise Refusal(state().settings.checked_out_status, "NRC_IN_USE", "The document is checked out")
    changed = replace(version, **profile_changes(body_json()), edited=now(), last_user=me().id)
    versions = tuple(changed if one.number == version.number else one for one in document.versions)
    line = Activity("Profile Edit", 4, me().id, now(), version.number)
    stored = state().world.put_document(
        replace(document, versions=versions, history=(*document.history, line))
    )
    return record(document_profile(stored, changed))


_PLAIN = {
    "class": "class_",
    "subclass": "subclass",
    "comment": "comment",
    "type": "type",
    "extension": "extension",
}
_CARRIED = re.compile(
    r"custom\d+(_description)?|author|operator|default_security|alias|subject|from|to|cc|bcc"
)
_IGNORED = frozenset(
    [
        "size",
        "checksum",
        "content_type",
        "file_create_date",
        "file_edit_date",
        "is_hipaa",
        "retain_days",
        "name",
        "author",
        "operator",
        "default_security",
        "sent_date",
        "received_date",
        "conversation_id",
        "conversation_name",
        "full_file_name",
    ]
)


def profile_changes(given: dict[str, Any]) -> dict[str, Any]:
    """What a profile from outside says about a version; a field that nobody knows is refused by name."""
    changes: dict[str, Any] = {}
    if "name" in given:
        changes["name"] = checked_name(given["name"], "name")
    for field, attribute in _PLAIN.items():
        if given.get(field) is not None:
            changes[attribute] = str(given[field]).strip()
    if "extension" in changes:
        changes["extension"] = changes["extension"].lstrip(".").lower()
    for attribute in ("type", "class_"):
        if attribute in changes:
            changes[attribute] = changes[attribute].upper()
    if changes.get("class_") and changes["class_"] not in CLASSES:
        raise invalid("class", f"There is no class {changes['class_']}")
    for person_field in ("author", "operator"):
        if given.get(person_field):
            user = state().world.user(str(given[person_field]))
            if user is None:
                raise invalid(person_field, f"There is no user {given[person_field]}")
            changes[person_field] = user.id
    for field in given:
        if field not in _PLAIN and field not in _IGNORED and not _CARRIED.fullmatch(field):
            raise invalid(field, f"{field} is not a field of a document's profile")
    return changes


@room.delete(f"{L}/documents/<doc>")
def delete(doc: str) -> Response:
    """Deletes one version; the last one takes the document with it."""
    document, version = document_at(doc, "full_access")
    if document.lock:
        raise Refusal(state().settings.checked_out_status, "NRC_IN_USE", "The document is checked out")
    rest = tuple(one for one in document.versions if one.number != version.number)
    if rest:
        state().world.put_document(replace(document, versions=rest))
    else:
        state().world.remove_document(document)
    return Response(status=204)


@room.get(f"{L}/documents/<doc>/versions")
def versions(doc: str) -> Response:
    document, _ = document_at(doc)
    rows, _, total = page_of(list(document.versions))
    return listing([document_row(document, one) for one in rows], total_count=total)


@room.get(f"{L}/documents/<doc>/history")
def history(doc: str) -> Response:
    document, _ = document_at(doc)
    found = list(reversed(document.history))
    rows, _, _ = page_of(found)
    return listing([_history_row(document, line) for line in rows], total_count=len(found))


def _history_row(document: Document, line: Activity) -> dict[str, Any]:
    return {
        "activity": line.activity,
        "activity_code": line.code,
        "activity_date": stamp(line.at),
        "application_name": "Practice",
        "user": line.user,
        "user_fullname": person(line.user),
        "location": "",
        "comments": line.comments,
        "duration": 0,
        "pages_printed": 0,
        "has_journal": False,
        "document_number": document.number,
        "version": line.version,
        "document_id": f"{document.library}!{document.number}.{line.version}",
    }


@room.get(f"{L}/documents/<doc>/history/users")
def history_users(doc: str) -> Response:
    document, _ = document_at(doc)
    counts = Counter(line.user for line in document.history)
    return listing([{"user": user, "user_fullname": person(user), "count": n} for user, n in counts.items()])


@room.get(f"{L}/documents/<doc>/history/activities")
def history_activities(doc: str) -> Response:
    document, _ = document_at(doc)
    counts = Counter((line.activity, line.code) for line in document.history)
    return listing([{"activity": a, "activity_code": c, "count": n} for (a, c), n in counts.items()])


@room.get(f"{L}/documents/<doc>/operations")
def operations(doc: str) -> Response:
    return record(document_operations(document_at(doc)[0]))


@room.get(f"{L}/documents/<doc>/path")
def path(doc: str) -> Response:
    """Every way to the document: an array of paths, each from the workspace down."""
    world, (document, _) = state().world, document_at(doc)
    found = [world.container(document.library, number) for number in document.folders]
    ways = [[container_row(step) for step in world.path(folder)] for folder in found if folder]
    return json_answer({"data": ways})


@room.get(f"{L}/documents/<doc>/related-documents")
def related(doc: str) -> Response:
    document_at(doc)
    return listing([])


@room.post(f"{L}/documents/parents")
def parents() -> Response:
    """The folders that documents lie in, by document number."""
    body = body_json("document_numbers", "limit")
    numbers = body.get("document_numbers")
    if not isinstance(numbers, list):
        raise invalid("document_numbers")
    world, rows = state().world, []
    for document in visible(
        world.document(library().id, n) for n in numbers if world.document(library().id, n)
    ):
        for number in document.folders:
            if folder := world.container(document.library, number):
                rows.append(container_row(folder) | {"document_number": document.number})
    return listing(rows)


# -- bytes -------------------------------------------------------------------------------------------------


@room.get(f"{L}/documents/<doc>/download")
@room.get(f"{L}/documents/<doc>/download/<file_name>")
def download(doc: str, file_name: str = "") -> Response:
    newest = flag("latest")
    if split_id(doc)[1] is None and not newest:
        raise invalid("id", "The id must name a version")
    document, version = document_at(doc, latest=newest)
    activity = request.args.get("activity", "")
    if activity:
        state().world.note(document, activity.capitalize(), 13, me().id, version.number)
    return send_bytes(version)


def send_bytes(version: Version) -> Response:
    """The bytes as an attachment, whole or the one range that was asked for."""
    content, settings = version.content, state().settings
    headers = {
        "Content-Disposition": disposition(version.file_name),
        "Content-Type": "application/octet-stream",
    }
    start, stop, status = 0, content.size, 200
    if settings.range_supported:
        headers["Accept-Ranges"] = "bytes"
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
        if asked and any(asked.groups()):
            start, stop = _range(asked[1], asked[2], content)
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
            status = 206
    if settings.download_length:
        headers["Content-Length"] = str(stop - start)
    return Response(content.blocks(start, stop), status, headers)


def _range(first: str, last: str, content: Content) -> tuple[int, int]:
    size = content.size
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size or start >= stop:
        raise Refusal(
            416,
            "NRC_INVALID_PARAM",
            "The range is not in the file",
            "Range",
            {"Content-Range": f"bytes */{size}"},
        )
    return start, stop


def disposition(name: str) -> str:
    """An attachment's name for old and new readers; nothing in it can end the header."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\' else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
