"""Locking, checking out and unlocking documents."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simulator.downloads import send_bytes
from simulator.profiles import document_profile, person, stamp
from simulator.uploads import require_writable
from simulator.values import Document, Lock
from simulator.web import RefusedError, api_blueprint, document_at, invalid, me, not_found, record, state
from simulator.world import now

blueprint = api_blueprint("locks")
L = "/libraries/<lib>"


def _lock(document: Document) -> Document:
    body: Any = request.get_json(silent=True, force=True) if request.content_length else {}
    if not isinstance(body, dict):
        raise invalid("body", "The body must be a JSON object")
    texts = [str(body.get(name) or "") for name in ("comments", "due_date", "location", "path")]
    with state().world.lock:
        current = state().world.document(*document.key)
        if current is None:
            raise not_found("The document")
        require_writable(current)
        return state().world.set_lock(current, Lock(me().id, now(), *texts))


@blueprint.post(f"{L}/documents/<doc>/lock")
def lock(doc: str) -> Response:
    document, version = document_at(doc, "read_write")
    locked = _lock(document)
    state().world.add_activity(locked, "Lock", 6, me().id, version.number)
    return record(document_profile(locked, version))


@blueprint.delete(f"{L}/documents/<doc>/lock")
def unlock(doc: str) -> Response:
    document, version = document_at(doc, "read_write")
    if document.lock is None:
        raise not_found("The lock")
    if document.lock.user != me().id and not state().world.may(me(), document, "full_access"):
        raise RefusedError(403, "NRC_ACCESS_DENIED", f"The document is checked out by {document.lock.user}")
    free = state().world.set_lock(document, None)
    state().world.add_activity(free, "Unlock", 7, me().id, version.number)
    return record(document_profile(free, version))


@blueprint.get(f"{L}/documents/<doc>/checkout")
def checkout_details(doc: str) -> Response:
    """Who has the document checked out, since when and why; 404 if nobody."""
    held = document_at(doc)[0].lock
    if held is None:
        raise not_found("The checkout")
    return record(
        {
            "comments": held.comments,
            "due_date": held.due_date,
            "location": held.location,
            "path": held.path,
            "in_use_by": held.user,
            "in_use_by_description": person(held.user),
            "checkout_date": stamp(held.since),
        }
    )


@blueprint.post(f"{L}/documents/<doc>/checkout")
def check_out(doc: str) -> Response:
    """Lock the document and return its content."""
    document, version = document_at(doc, "read_write")
    locked = _lock(document)
    state().world.add_activity(locked, "Checkout", 2, me().id, version.number)
    return send_bytes(version)
