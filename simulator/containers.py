"""Workspaces and folders: searches, profiles, children, documents, and changes to folders."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request

from simulator.names import checked_name
from simulator.profiles import Row, container_row, document_row, operations_of
from simulator.rights import security_from
from simulator.search import (
    as_filters,
    checked,
    cut,
    find_documents,
    find_folders,
    find_workspaces,
    requested,
    searched,
)
from simulator.values import Container, Document
from simulator.web import (
    RefusedError,
    api_blueprint,
    body_json,
    both,
    container_at,
    flag,
    invalid,
    listing,
    me,
    page_of,
    record,
    state,
    visible,
)

blueprint = api_blueprint("containers")
L = "/libraries/<lib>"
CHILD_KINDS = ("folder", "tab", "search", "document", "email")


# -- searches -----------------------------------------------------------------------------------------------


@both(blueprint, "workspaces")
def workspaces() -> Response:
    rows, total = page_of(find_workspaces(as_filters(request.args, "workspace")))
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
    if parent.folder_type == "search" and state().settings.search_folder_children == "browse_only":
        raise RefusedError(400, "NRC_INVALID_PARAM", "A search folder is opened with children/browse", "id")
    kinds = _child_kinds()
    found: list[Container | Document] = []
    if kinds & {"folder", "tab", "search"}:
        below = visible(state().world.folders_in(parent))
        found += [
            one for one in below if (one.folder_type if one.folder_type in CHILD_KINDS else "folder") in kinds
        ]
    if kinds & {"document", "email"}:
        documents = _documents(parent)
        found += [one for one in documents if ("email" if one.latest.type == "MIME" else "document") in kinds]
    rows, total = page_of(found)
    return listing([_child_row(one) for one in rows], total_count=total)


def _child_row(one: Container | Document) -> Row:
    return document_row(one) if isinstance(one, Document) else container_row(one)


def _child_kinds() -> set[str]:
    """The kinds that a listing of children asks for, by `children_type` and the `exclude_…` options."""
    asked = request.args.get("children_type", "all").lower().split(",")
    kinds = set(CHILD_KINDS) if "all" in asked else {each.removesuffix("s") for each in asked}
    if not kinds <= set(CHILD_KINDS):
        raise invalid("children_type")
    if flag("exclude_folders"):
        kinds -= {"folder", "tab", "search"}
    if flag("exclude_docs"):
        kinds -= {"document", "email"}
    return kinds - {"email"} if flag("exclude_emails") else kinds


def _documents(parent: Container) -> list[Document]:
    """The documents in a folder, or those that a search folder finds."""
    if parent.folder_type == "search":
        found = [document for document, _ in find_documents(checked(parent.query, "document"))]
    else:
        found = visible(state().world.documents_in(parent))
    return [one for one in found if one.latest.type != "MIME"] if flag("exclude_emails") else found


@blueprint.post(f"{L}/folders/<container_id>/children/browse")
def browse_children(container_id: str) -> Response:
    """The content of a search folder, with the fields that the body asks for."""
    parent = container_at(container_id, "folder")
    wanted = body_json("profile_fields", "limit", "offset").get("profile_fields")
    folders = visible(state().world.folders_in(parent))
    rows, total = page_of([*folders, *_documents(parent)])
    kinds = {Document: requested(wanted, "document"), Container: requested(wanted, "folder")}
    return listing([cut(_child_row(one), kinds[type(one)]) for one in rows], total_count=total)


@blueprint.get(f"{L}/folders/<container_id>/documents")
def folder_documents(container_id: str) -> Response:
    rows, total = page_of(_documents(container_at(container_id, "folder")))
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


@both(blueprint, "folders")
def folders() -> Response:
    """Folders by the filters of a search as a flat list: all below a container, of a library, or of the customer."""
    top = request.args.get("container_id")
    if top and len(g.libraries) == 1:
        container_at(top)
    rows, total = page_of(find_folders(as_filters(request.args, "folder")))
    return listing([container_row(one) for one in rows], total_count=total)


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
    security = security_from(body.get("default_security") or "inherit", [])
    made = state().world.add_folder(parent, name, me().id, security, str(body.get("description") or ""))
    return record(container_row(made), 201)


@blueprint.patch(f"{L}/folders/<container_id>")
def change_folder(container_id: str) -> Response:
    found = container_at(container_id, "folder", "read_write")
    body = body_json("name", "description", "default_security", "profile", "email")
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


@blueprint.post(f"{L}/folders/<container_id>/move")
def move_folder(container_id: str) -> Response:
    found = container_at(container_id, "folder", "full_access")
    target = container_at(str(body_json("destination_id").get("destination_id", "")), level="read_write")
    if found.number in {one.number for one in state().world.path(target)}:
        raise invalid("destination_id", "A folder cannot be moved into itself")
    world = state().world
    with world.lock:
        for one in list(world.under(found)):
            parent = target.number if one.number == found.number else one.parent
            world.put_container(replace(one, parent=parent, workspace=target.workspace))
    return Response(status=204)
