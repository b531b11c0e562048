"""Workspaces and folders: profiles, children, documents, recent ones, My Matters, favourites, new folders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, g, request

from simulator.names import checked_name
from simulator.profiles import container_row, document_row, operations_of, shortcut_row
from simulator.search import as_filters, find_workspaces, searched
from simulator.values import Container, Document, Security
from simulator.web import (
    RefusedError,
    api_room,
    body_json,
    both,
    container_at,
    flag,
    invalid,
    library,
    listing,
    me,
    page_of,
    record,
    state,
    visible,
)

room = api_room("containers")
L = "/libraries/<lib>"
RECENT = 20


def _all(kind: str) -> list[Container]:
    world = state().world
    return [one for place in g.libraries for one in visible(world.containers(place.id)) if one.kind == kind]


# -- lists of workspaces -----------------------------------------------------------------------------------


@both(room, "recent-workspaces")
def recent_workspaces() -> Response:
    found = sorted(_all("workspace"), key=lambda one: (one.edited, one.number), reverse=True)[:RECENT]
    rows, _, total = page_of(found)
    return listing([container_row(one) for one in rows], "results", total_count=total)


@room.get(f"{L}/users/<user>/my-matters/children")
def my_matters(user: str) -> Response:
    if user.upper() != me().id.upper():
        raise RefusedError(403, "NRC_ACCESS_DENIED", "My Matters of another user are not yours to see")
    mine = [
        one for one in _all("workspace") if one.owner == me().id or me().id in dict(one.security.trustees)
    ]
    rows, _, total = page_of(mine)
    return listing([shortcut_row(one, 900000 + one.number) for one in rows], total_count=total)


@room.get(f"{L}/my-favorites/children")
def my_favourites() -> Response:
    world = state().world
    found = [world.container(*key) or world.document(*key) for key in world.favourites[me().id]]
    here = visible(one for one in found if one and one.library == library().id)
    rows, _, total = page_of(here)
    return listing(
        [
            document_row(one) if isinstance(one, Document) else shortcut_row(one, 800000 + one.number)
            for one in rows
        ],
        total_count=total,
    )


@both(room, "workspaces")
def workspaces() -> Response:
    rows, _, total = page_of(find_workspaces(as_filters(request.args, "workspace")))
    return listing([container_row(one) for one in rows], "results", total_count=total)


@room.post(f"{L}/workspaces/search")
def search_workspaces() -> Response:
    return searched("workspace")


@room.post(f"{L}/folders/search")
def search_folders() -> Response:
    return searched("folder")


# -- one container -----------------------------------------------------------------------------------------


@room.get(f"{L}/workspaces/<place>")
def workspace(place: str) -> Response:
    return record(container_row(container_at(place, "workspace")))


@room.get(f"{L}/folders/<place>")
def folder(place: str) -> Response:
    return record(container_row(container_at(place, "folder")))


@room.get(f"{L}/containers/<place>")
def container(place: str) -> Response:
    return record(container_row(container_at(place)))


@room.get(f"{L}/workspaces/<place>/children")
def workspace_children(place: str) -> Response:
    return _children(container_at(place, "workspace"))


@room.get(f"{L}/folders/<place>/children")
def folder_children(place: str) -> Response:
    return _children(container_at(place, "folder"))


def _children(parent: Container) -> Response:
    """Folders first, then documents; each page makes only the rows that it shows."""
    world = state().world
    found: list[Container | Document] = []
    if not flag("exclude_folders"):
        found += visible(world.folders_in(parent))
    if not flag("exclude_docs"):
        found += _documents(parent)
    rows, _, total = page_of(found)
    return listing(
        [document_row(one) if isinstance(one, Document) else container_row(one) for one in rows],
        total_count=total,
    )


def _documents(parent: Container) -> list[Document]:
    found: list[Document] = visible(state().world.documents_in(parent))
    if flag("exclude_emails"):
        found = [one for one in found if one.latest.type != "MIME"]
    return found


@room.get(f"{L}/folders/<place>/documents")
def folder_documents(place: str) -> Response:
    rows, _, total = page_of(_documents(container_at(place, "folder")))
    return listing([document_row(one) for one in rows], total_count=total)


@room.get(f"{L}/workspaces/<place>/operations")
def workspace_operations(place: str) -> Response:
    return record(operations_of(container_at(place, "workspace")))


@room.get(f"{L}/folders/<place>/operations")
def folder_operations(place: str) -> Response:
    return record(operations_of(container_at(place, "folder")))


@room.get(f"{L}/workspaces/<place>/name-value-pairs")
@room.get(f"{L}/folders/<place>/name-value-pairs")
def name_value_pairs(place: str) -> Response:
    return record(dict(container_at(place).custom))


@room.get(f"{L}/folders")
def folders_below() -> Response:
    """All folders under a container, flat."""
    top = container_at(request.args.get("container_id") or _missing("container_id"))
    below = [one for one in state().world.under(top) if one.number != top.number]
    rows, _, total = page_of(visible(below))
    return listing([container_row(one) for one in rows], total_count=total)


def _missing(name: str) -> Any:
    raise invalid(name, f"{name} is required")


# -- changing ----------------------------------------------------------------------------------------------


@room.post(f"{L}/workspaces/<place>/folders")
def new_folder(place: str) -> Response:
    return _add(container_at(place, "workspace", "read_write"))


@room.post(f"{L}/folders/<place>/subfolders")
def new_subfolder(place: str) -> Response:
    return _add(container_at(place, "folder", "read_write"))


def _add(parent: Container) -> Response:
    body = body_json("name", "description", "default_security", "profile", "email", "view_type")
    name = checked_name(body.get("name"), "name")
    default = body.get("default_security") or "inherit"
    if default not in ("inherit", "private", "view", "public"):
        raise invalid("default_security")
    made = state().world.add_folder(
        parent, name, me().id, Security(default), str(body.get("description") or "")
    )
    return record(container_row(made), 201)


@room.patch(f"{L}/folders/<place>")
def change_folder(place: str) -> Response:
    found = container_at(place, "folder", "read_write")
    body = body_json("name", "description")
    name = checked_name(body["name"], "name") if "name" in body else found.name
    text = str(body.get("description", found.description))
    return record(container_row(state().world.put_container(replace(found, name=name, description=text))))


@room.delete(f"{L}/folders/<place>")
def remove_folder(place: str) -> Response:
    found = container_at(place, "folder", "full_access")
    world = state().world
    if world.folders_in(found) or world.documents_in(found):
        raise RefusedError(409, "NRC_NOT_EMPTY", "Only an empty folder can be deleted")
    world.remove_folder(found)
    return Response(status=204)
