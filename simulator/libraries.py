"""Libraries and their types, classes, users, captions and custom values."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from simulator.doctypes import CLASSES, SUBCLASSES, TYPES
from simulator.values import User
from simulator.web import api_blueprint, library, listing, not_found, page_of, record, state

blueprint = api_blueprint("libraries")
L = "/libraries/<lib>"
CAPTIONS = {"custom1": "Client", "custom2": "Matter"}


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
    rows, _, total = page_of(list(TYPES))
    return listing(
        [{"id": code, "description": text, "app_extension": ext} for code, text, ext in rows],
        total_count=total,
    )


@blueprint.get(f"{L}/classes")
def classes() -> Response:
    return listing([_class(name) for name in CLASSES])


def _class(name: str) -> dict[str, Any]:
    text, required = CLASSES[name]
    return {
        "id": name,
        "description": text,
        "default_security": "inherit",
        "required_fields": list(required),
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
    rows, _, total = page_of(state().world.users)
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


@blueprint.get(f"{L}/customs/<field>/<value>")
def custom(field: str, value: str) -> Response:
    """A custom field's value and description, taken from the workspaces that have it."""
    for one in state().world.workspaces(library().id):
        if one.custom.get(field, "").upper() == value.upper():
            text = one.custom.get(f"{field}_description", "")
            return record({"id": one.custom[field], "description": text, "enabled": True})
    raise not_found("The value")
