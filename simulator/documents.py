"""Documents: search, profile, versions, history, operations and path."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from flask import Response, g

from simulator.changes import profile_changes
from simulator.profiles import (
    container_row,
    document_operations,
    document_profile,
    document_row,
    person,
    stamp,
)
from simulator.search import documents_by_query, searched
from simulator.uploads import require_writable, required_fields, warnings_about
from simulator.values import Activity, Document
from simulator.web import (
    RefusedError,
    api_blueprint,
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
    state,
    visible,
)
from simulator.world import now

blueprint = api_blueprint("documents")
L = "/libraries/<lib>"
RECENT = 50


@both(blueprint, "documents")
def documents() -> Response:
    return documents_by_query()


@blueprint.post(f"{L}/documents/search")
def search_documents() -> Response:
    return searched("document")


@both(blueprint, "recent-documents")
def recent_documents() -> Response:
    user, world = me().id, state().world
    touched = [
        one
        for each in g.libraries
        for one in world.documents(each.id)
        if any(line.user == user for line in one.history)
    ]
    touched.sort(key=lambda one: max(line.at for line in one.history if line.user == user), reverse=True)
    rows, total = page_of(visible(touched)[:RECENT])
    return listing([document_row(one) for one in rows], "results", total_count=total)


@both(blueprint, "documents/checked-out")
def checked_out() -> Response:
    user = me().id
    mine = [
        one
        for each in g.libraries
        for one in state().world.documents(each.id)
        if one.lock and one.lock.user == user
    ]
    rows, total = page_of(mine)
    return listing([document_row(one) for one in rows], total_count=total)


@blueprint.get(f"{L}/documents/<doc>")
def profile(doc: str) -> Response:
    document, version = document_at(doc, latest=flag("is_latest"))
    return record(document_profile(document, version, operations=flag("include_operations")))


@blueprint.patch(f"{L}/documents/<doc>")
def change_profile(doc: str) -> Response:
    document, version = document_at(doc, "read_write")
    _require_free(document)
    body = body_json()
    flagged = body.pop("warnings_for_required_and_disabled_fields", False) is True
    given = body.pop("doc_profile", None) or body
    changes = profile_changes(given)
    required = required_fields(changes.get("class_", version.class_))
    missing = [name for name in required if name in given and not given[name]]
    warnings = warnings_about(missing, flagged)
    carried = {name: str(value or "") for name, value in given.items() if name.startswith("custom")}
    changed = replace(version, **changes, profile=version.profile | carried, edited=now(), last_user=me().id)
    versions = tuple(changed if one.number == version.number else one for one in document.versions)
    line = Activity("Profile Edit", 4, me().id, now(), version.number)
    stored = state().world.put_document(
        replace(document, versions=versions, history=(*document.history, line))
    )
    extra_fields: dict[str, Any] = {"warnings": warnings} if warnings else {}
    return record(document_profile(stored, changed), **extra_fields)


def _require_free(document: Document) -> None:
    require_writable(document)
    if document.lock:
        raise RefusedError(state().settings.checked_out_status, "NRC_IN_USE", "The document is checked out")


@blueprint.delete(f"{L}/documents/<doc>")
def delete(doc: str) -> Response:
    """Delete one version; deleting the last one deletes the document. What is deleted goes to the trash."""
    document, version = document_at(doc, "full_access")
    _require_free(document)
    if state().settings.trash:
        state().world.put_in_trash(replace(document, versions=(version,)))
    rest = tuple(one for one in document.versions if one.number != version.number)
    if rest:
        state().world.put_document(replace(document, versions=rest))
    else:
        state().world.remove_document(document)
    return Response(status=204)


@blueprint.get(f"{L}/documents/<doc>/versions")
def versions(doc: str) -> Response:
    document, _ = document_at(doc)
    rows, total = page_of(list(document.versions))
    return listing([document_row(document, one) for one in rows], total_count=total)


@blueprint.get(f"{L}/documents/<doc>/history")
def history(doc: str) -> Response:
    document, _ = document_at(doc)
    found = list(reversed(document.history))
    rows, _ = page_of(found)
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


@blueprint.get(f"{L}/documents/<doc>/history/users")
def history_users(doc: str) -> Response:
    document, _ = document_at(doc)
    counts = Counter(line.user for line in document.history)
    return listing([{"user": user, "user_fullname": person(user), "count": n} for user, n in counts.items()])


@blueprint.get(f"{L}/documents/<doc>/history/activities")
def history_activities(doc: str) -> Response:
    document, _ = document_at(doc)
    counts = Counter((line.activity, line.code) for line in document.history)
    return listing([{"activity": a, "activity_code": c, "count": n} for (a, c), n in counts.items()])


@blueprint.get(f"{L}/documents/<doc>/operations")
def operations(doc: str) -> Response:
    return record(document_operations(document_at(doc)[0]))


@blueprint.get(f"{L}/documents/<doc>/path")
def path(doc: str) -> Response:
    """All paths to the document, each from the workspace down."""
    world, (document, _) = state().world, document_at(doc)
    found = [world.container(document.library, number) for number in document.folders]
    ways = [[container_row(step) for step in world.path(folder)] for folder in found if folder]
    return json_answer({"data": ways})


@blueprint.get(f"{L}/documents/<doc>/related-documents")
def related(doc: str) -> Response:
    document_at(doc)
    return listing([])


@blueprint.post(f"{L}/documents/parents")
def parents() -> Response:
    """The folders of documents, by document number."""
    body = body_json("document_numbers", "limit")
    numbers = body.get("document_numbers")
    if not isinstance(numbers, list):
        raise invalid("document_numbers")
    world, rows = state().world, []
    for document in visible(
        world.document(library().id, n) for n in numbers if world.document(library().id, n)
    ):
        folders = filter(None, (world.container(document.library, number) for number in document.folders))
        rows += [container_row(folder) | {"document_number": document.number} for folder in folders]
    return listing(rows)
