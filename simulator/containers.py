"""Workspaces and folders: profiles, children, documents, recent workspaces, My Matters, favourites, new folders."""

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
    api_blueprint,
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

blueprint = api_blueprint("containers")
L = "/libraries/<lib>"
RECENT = 20


def _all(kind: str) -> list[Container]:
    world = state().world
    return [one for each in g.libraries for one in visible(world.containers(each.id)) if one.kind == kind]


# -- lists of workspaces -----------------------------------------------------------------------------------


@both(blueprint, "recent-workspaces")
def recent_workspaces() -> Response:
    found = sorted(_all("workspace"), key=lambda one: (one.edited, one.number), reverse=True)[:RECENT]
    rows, _, total = page_of(found)
    return listing([container_row(one) for one in rows], "results", total_count=total)


@blueprint.get(f"{L}/users/<user>/my-matters/children")
def my_matters(user: str) -> Response:
    if user.upper() != me().id.upper():
        raise RefusedError(
            403, "NRC_ACCESS_DENIED", "You do not have access to the My Matters of another user"
        )
    mine = [
        one for one in _all("workspace") if one.owner == me().id or me().id in dict(one.security.trustees)
    ]
    rows, _, total = page_of(mine)
    return listing([shortcut_row(one, 900000 + one.number) for one in rows], total_count=total)


@blueprint.get(f"{L}/my-favorites/children")
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


@both(blueprint, "workspaces")
def workspaces() -> Response:
    rows, _, total = page_of(find_workspaces(as_filters(request.args, "workspace")))
    return listing([container_row(one) for one in rows], "results", total_count=total)


@blueprint.post(f"{L}/workspaces/search")
def search_workspaces() -> Response:
    return searched("workspace")


@blueprint.post(f"{L}/folders/search")
def search_folders() -> Response:
    return searched("folder")


# -- one container -----------------------------------------------------------------------------------------


@blueprint.get(f"{L}/workspaces/<container_id>")
def workspace(container_id: str) -> Response:
    return record(container_row(container_at(container_id, "workspace")))


@blueprint.get(f"{L}/folders/<container_id>")
def folder(container_id: str) -> Response:
    return record(container_row(container_at(container_id, "folder")))


@blueprint.get(f"{L}/containers/<container_id>")
def container(container_id: str) -> Response:
    return record(container_row(container_at(container_id)))


@blueprint.get(f"{L}/workspaces/<container_id>/children")
def workspace_children(container_id: str) -> Response:
    return _children(container_at(container_id, "workspace"))


@blueprint.get(f"{L}/folders/<container_id>/children")
def folder_children(container_id: str) -> Response:
    return _children(container_at(container_id, "folder"))


def _children(parent: Container) -> Response:
    """Folders first, then documents; rows are built only for the requested page."""
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


@blueprint.get(f"{L}/folders/<container_id>/documents")
def folder_documents(container_id: str) -> Response:
    rows, _, total = page_of(_documents(container_at(container_id, "folder")))
    return listing([document_row(one) for one in rows], total_count=total)


@blueprint.get(f"{L}/workspaces/<container_id>/operations")
def workspace_operations(container_id: str) -> Response:
    return record(operations_of(container_at(container_id, "workspace")))


@blueprint.get(f"{L}/folders/<container_id>/operations")
def folder_operations(container_id: str) -> Response:
    return record(operations_of(container_at(container_id, "folder")))


@blueprint.get(f"{L}/workspaces/<container_id>/name-value-pairs")
@blueprint.get(f"{L}/folders/<container_id>/name-value-pairs")
def name_value_pairs(container_id: str) -> Response:
    return record(dict(container_at(container_id).custom))


@blueprint.get(f"{L}/folders")
def folders_below() -> Response:
    """All folders below a container as a flat list."""
    top = container_at(request.args.get("container_id") or _missing("container_id"))
    below = [one for one in state().world.under(top) if one.number != top.number]
    rows, _, total = page_of(visible(below))
    return listing([container_row(one) for one in rows], total_count=total)


def _missing(name: str) -> Any:
    raise invalid(name, f"{name} is required")


# -- changing ----------------------------------------------------------------------------------------------


@blueprint.post(f"{L}/workspaces/<container_id>/folders")
def new_folder(container_id: str) -> Response:
    return _add(container_at(container_id, "workspace", "read_write"))


@blueprint.post(f"{L}/folders/<container_id>/subfolders")
def new_subfolder(container_id: str) -> Response:
    return _add(container_at(container_id, "folder", "read_write"))


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


@blueprint.patch(f"{L}/folders/<container_id>")
def change_folder(container_id: str) -> Response:
    found = container_at(container_id, "folder", "read_write")
    body = body_json("name", "description")
    name = checked_name(body["name"], "name") if "name" in body else found.name
    text = str(body.get("description", found.description))
    return record(container_row(state().world.put_container(replace(found, name=name, description=text))))


@blueprint.delete(f"{L}/folders/<container_id>")
def remove_folder(container_id: str) -> Response:
    found = container_at(container_id, "folder", "full_access")
    world = state().world
    if world.folders_in(found) or world.documents_in(found):
        raise RefusedError(409, "NRC_NOT_EMPTY", "Only an empty folder can be deleted")
    world.remove_folder(found)
    return Response(status=204)
