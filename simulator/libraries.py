"""Libraries and their types, classes, users, captions and custom values."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from simulator.doctypes import CLASSES, FIELDS_OF_FORMS, SUBCLASSES, TYPES
from simulator.uploads import required_fields
from simulator.values import Container, User
from simulator.web import (
    api_blueprint,
    both,
    invalid,
    library,
    listing,
    not_found,
    page_of,
    record,
    state,
    visible,
)

blueprint = api_blueprint("libraries")
L = "/libraries/<lib>"
CAPTIONS = {"custom1": "Client", "custom2": "Matter"}
PARENT_OF = {"custom2": "custom1", "custom30": "custom29"}


@blueprint.get("/libraries")
def libraries() -> Response:
    return listing(
        [
            {"id": one.id, "type": "worksite", "display_name": one.description or one.id, "is_hidden": False}
            for one in g.libraries
        ]
    )


@blueprint.get(f"{L}/operations")
def operations() -> Response:
    return record({"create_workspace": False, "search": True, "import_documents": True})


@blueprint.get(f"{L}/types")
def types() -> Response:
    """The types of the library, or those of one extension."""
    gone, extension = state().settings.types_missing, request.args.get("app_extension", "").lower()
    found = [one for one in TYPES if one[0] not in gone and extension in ("", one[2])]
    rows, total = page_of(found)
    return listing(
        [{"id": code, "description": text, "app_extension": ext} for code, text, ext in rows],
        total_count=total,
    )


@blueprint.get(f"{L}/classes")
def classes() -> Response:
    return listing([_class(name) for name in CLASSES])


def _class(name: str) -> dict[str, Any]:
    listed = {"required_fields": required_fields(name)} if state().settings.class_required_fields else {}
    return {
        "id": name,
        "description": CLASSES[name][0],
        "default_security": "inherit",
        **listed,
        "subclass_required": False,
        "indexable": True,
        "shadow": True,
        "retain": 3650,
        "hipaa": False,
        "database": library().database,
    }


@blueprint.get(f"{L}/classes/<name>/subclasses")
def subclasses(name: str) -> Response:
    if name.upper() not in CLASSES:
        raise not_found("The class")
    found = SUBCLASSES.get(name.upper(), {})
    return listing([{"id": code, "description": text} for code, text in found.items()])


@blueprint.get(f"{L}/users")
def users() -> Response:
    rows, total = page_of(state().world.users)
    return listing([_user(one) for one in rows], total_count=total)


@blueprint.get(f"{L}/users/<name>")
def user(name: str) -> Response:
    found = state().world.user(name)
    if found is None:
        raise not_found("The user")
    return record(_user(found))


def _user(one: User) -> dict[str, Any]:
    return {
        "id": one.id,
        "full_name": one.full_name,
        "email": one.email,
        "allow_logon": one.allow_logon,
        "is_external": one.external,
        "login": True,
        "preferred_library": one.preferred_library,
        "user_num": one.number,
        "user_nos": 6,
        "database": library().database,
        "phone": "",
        "location": "",
        "ssid": str(100000000000000000 + one.number),
    }


@blueprint.get(f"{L}/captions/<field>")
def captions(field: str) -> Response:
    if field not in CAPTIONS:
        raise not_found("The caption")
    row = {"id": field, "type": "text", "label": CAPTIONS[field], "num": int(field[6:]), "locale": "en-gb"}
    return listing([row | {"database": library().database}])


@blueprint.get(f"{L}/forms/visible-fields")
def visible_fields() -> Response:
    """The fields of a form, for a class if one is named. The shape of the rows is invented: none is published."""
    form, name = request.args.get("form_type", ""), request.args.get("class", "DOC").upper()
    if form not in ("edit_document", "new_document", "new_version"):
        raise invalid("form_type")
    if name not in CLASSES:
        raise not_found("The class")
    required = required_fields(name)
    names = list(dict.fromkeys([*FIELDS_OF_FORMS, *required]))
    rows = [{"name": one, "visible": True, "required": one in ("name", *required)} for one in names]
    return listing([row | {"enabled": True, "class": name} for row in rows])


@both(blueprint, "templates")
def templates() -> Response:
    """Templates of workspaces, or the one with an `id`."""
    names, wanted = {one.id for one in g.libraries}, request.args.get("id", "")
    found = [one for one in state().world.templates if one.library in names and wanted in ("", one.id)]
    rows, total = page_of(found)
    return listing(
        [
            {"id": o.id, "name": o.name, "description": o.description, "database": o.library.upper()}
            for o in rows
        ],
        total_count=total,
    )


@blueprint.get(f"{L}/customs/<field>/search")
def search_customs(field: str) -> Response:
    """The values of a custom field; `query` is in the value or description, `parent_alias` is the parent's value."""
    query, parent = request.args.get("query", "").casefold(), request.args.get("parent_alias", "").upper()
    found: dict[str, dict[str, Any]] = {}
    for one in visible(state().world.workspaces(library().id)):
        row, above = _custom(one, field), one.custom.get(PARENT_OF.get(field, ""), "").upper()
        if row and query in f"{row['id']} {row['description']}".casefold() and parent in ("", above):
            found.setdefault(f"{above} {row['id']}", row)
    rows, total = page_of([found[value] for value in sorted(found)])
    return listing(rows, total_count=total)


def _custom(one: Container, field: str) -> dict[str, Any] | None:
    """The row of a custom field's value in a workspace."""
    if not one.custom.get(field):
        return None
    row = {
        "id": one.custom[field],
        "description": one.custom.get(f"{field}_description", ""),
        "enabled": True,
    }
    parent = one.custom.get(PARENT_OF.get(field, ""), "")
    return row | ({"parent": {"id": parent}} if parent else {})


@blueprint.get(f"{L}/customs/<field>/<value>")
def custom(field: str, value: str) -> Response:
    """A custom field's value and description, taken from the workspaces that have it."""
    for one in state().world.workspaces(library().id):
        if one.custom.get(field, "").upper() == value.upper():
            return record(_custom(one, field) or {})
    raise not_found("The value")
