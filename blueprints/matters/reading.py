"""Versions read on the page: two compared, and a PDF or an image page by page."""

from __future__ import annotations

import uuid
from base64 import b64encode

from flask import render_template, request
from flask.typing import ResponseReturnValue

from blueprints.authorization import actor, get_only, needs
from blueprints.matters import bp
from blueprints.query_params import page_number
from services.core.errors import NotFoundError, RefusedError
from services.matters import documents, reading, versions
from services.matters.versions import VersionView

UNREADABLE = 422


@bp.get("/documents/<uuid:document_id>/compare")
@get_only
@needs("member")
def compare(document_id: uuid.UUID) -> ResponseReturnValue:
    """Without a choice: the current version with the one before it."""
    view = documents.find(actor(), document_id)
    choices = versions.choices(actor(), document_id)
    new = _chosen(document_id, "new") or next((each for each in choices if each.is_current), choices[0])
    earlier = [each for each in choices if each.number < new.number]
    old = _chosen(document_id, "old") or next(iter(earlier or choices))
    result, refused = None, None
    try:
        if old.id != new.id:
            result = reading.compare(actor(), old, new)
    except RefusedError as error:
        refused = error
    page = render_template(
        "matters/compare.html",
        document=view,
        choices=list(dict.fromkeys((*choices, old, new))),
        old=old,
        new=new,
        result=result,
        refused=refused,
    )
    return page, UNREADABLE if refused else 200


@bp.get("/versions/<uuid:version_id>/preview")
@get_only
@needs("member")
def preview(version_id: uuid.UUID) -> ResponseReturnValue:
    version = versions.require(actor(), version_id)
    view = documents.find(actor(), version.document_id)
    found, image, refused = None, "", None
    try:
        found = reading.page(actor(), version, page_number())
        image = f"data:image/webp;base64,{b64encode(found.image).decode()}"
    except RefusedError as error:
        refused = error
    page = render_template(
        "matters/preview.html", document=view, version=version, found=found, image=image, refused=refused
    )
    return page, UNREADABLE if refused else 200


def _chosen(document_id: uuid.UUID, name: str) -> VersionView | None:
    """The version of this document that the address names."""
    version_id = request.args.get(name, type=uuid.UUID)
    if version_id is None:
        return None
    version = versions.require(actor(), version_id)
    if version.document_id != document_id:
        raise NotFoundError("We could not find this version.")
    return version
