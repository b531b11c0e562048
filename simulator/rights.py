"""Security of documents, folders and workspaces: the default, and the access of named users."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response

from simulator.profiles import Row, person
from simulator.values import DEFAULTS, LEVELS, Container, Document, Security
from simulator.web import (
    api_blueprint,
    body_json,
    container_at,
    document_at,
    invalid,
    listing,
    me,
    page_of,
    record,
    state,
)

blueprint = api_blueprint("rights")
L = "/libraries/<lib>"


def security_from(default: Any, trustees: Any) -> Security:
    """Security from the fields of a request; a wrong value is refused by its field."""
    if default not in DEFAULTS:
        raise invalid("default_security")
    if not isinstance(trustees, list) or not all(isinstance(one, dict) for one in trustees):
        raise invalid("user_trustees")
    pairs = tuple((str(one.get("id", "")).upper(), str(one.get("access_level"))) for one in trustees)
    if any(level not in LEVELS for _, level in pairs):
        raise invalid("user_trustees")
    return Security(default, pairs)


def _row(thing: Document | Container) -> Row:
    return {
        "default_security": thing.security.default,
        "effective_security": state().world.access(me(), thing),
        "user_trustees": _trustees(thing.security),
        "group_trustees": [],
    }


def _trustees(security: Security) -> list[Row]:
    return [
        {"id": user, "full_name": person(user), "type": "user", "access_level": level}
        for user, level in security.trustees
    ]


def _changed(security: Security) -> Security:
    """The security that a request asks for: what it does not name stays."""
    body = body_json("default_security", "user_trustees", "group_trustees")
    if body.get("group_trustees"):
        raise invalid("group_trustees", "There are no groups here")
    kept = [{"id": user, "access_level": level} for user, level in security.trustees]
    return security_from(body.get("default_security", security.default), body.get("user_trustees", kept))


@blueprint.get(f"{L}/documents/<doc>/security")
def document_security(doc: str) -> Response:
    return record(_row(document_at(doc)[0]))


@blueprint.put(f"{L}/documents/<doc>/security")
def set_document_security(doc: str) -> Response:
    document, _ = document_at(doc, "full_access")
    changed = replace(document, security=_changed(document.security))
    return record(_row(state().world.put_document(changed)))


@blueprint.get(f"{L}/documents/<doc>/trustees")
def document_trustees(doc: str) -> Response:
    rows, total = page_of(_trustees(document_at(doc)[0].security))
    return listing(rows, total_count=total)


@blueprint.get(f"{L}/folders/<container_id>/security")
@blueprint.get(f"{L}/workspaces/<container_id>/security")
def container_security(container_id: str) -> Response:
    return record(_row(container_at(container_id)))


@blueprint.put(f"{L}/folders/<container_id>/security")
@blueprint.put(f"{L}/workspaces/<container_id>/security")
def set_container_security(container_id: str) -> Response:
    container = container_at(container_id, level="full_access")
    changed = replace(container, security=_changed(container.security))
    return record(_row(state().world.put_container(changed)))


@blueprint.get(f"{L}/folders/<container_id>/trustees")
@blueprint.get(f"{L}/workspaces/<container_id>/trustees")
def container_trustees(container_id: str) -> Response:
    rows, total = page_of(_trustees(container_at(container_id).security))
    return listing(rows, total_count=total)
