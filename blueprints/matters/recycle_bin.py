"""The bin: documents and matters moved into it, listed, and restored."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.matters import bp, popup
from blueprints.query_params import page_number
from services.access import permissions
from services.matters import documents, matters, recycle_bin


@bp.route("/documents/<uuid:document_id>/remove", methods=["GET", "POST"])
@needs("staff")
def remove_document(document_id: uuid.UUID) -> ResponseReturnValue:
    view = documents.find(actor(), document_id)
    if request.method == "POST":
        name = recycle_bin.remove_document(actor(), document_id)
        flash(f"{name} is in the bin. You can restore it for {recycle_bin.KEPT.days} days.", "success")
        return go_to(url_for("matters.matter", matter_id=view.matter_id))
    permissions.require_remove_documents(actor(), view.matter_id)
    return popup(
        "Move to bin",
        "matters/_remove_document_form.html",
        url_for("matters.document", document_id=document_id),
        document=view,
        days=recycle_bin.KEPT.days,
        transfers=recycle_bin.transfers_into(document_id),
    )


@bp.post("/documents/<uuid:document_id>/restore")
@needs("staff")
def restore_document(document_id: uuid.UUID) -> Response:
    name = recycle_bin.restore_document(actor(), document_id)
    flash(f"{name} is back in the matter.", "success")
    return go_to(url_for("matters.document", document_id=document_id))


@bp.get("/matters/<uuid:matter_id>/bin")
@needs("staff")
def binned_documents(matter_id: uuid.UUID) -> ResponseReturnValue:
    return render_template(
        "matters/bin.html",
        matter=matters.find(actor(), matter_id),
        found=recycle_bin.documents_of(actor(), matter_id, page_number()),
        days=recycle_bin.KEPT.days,
    )


@bp.route("/matters/<uuid:matter_id>/remove", methods=["GET", "POST"])
@needs("staff")
def remove_matter(matter_id: uuid.UUID) -> ResponseReturnValue:
    if request.method == "POST":
        name = recycle_bin.remove_matter(actor(), matter_id)
        flash(f"{name} is in the bin. Its leads can restore it for {recycle_bin.KEPT.days} days.", "success")
        return go_to(url_for("matters.index"))
    view = matters.find(actor(), matter_id)
    permissions.require_lead(actor(), matter_id)
    return popup(
        "Move to bin",
        "matters/_remove_matter_form.html",
        url_for("matters.matter", matter_id=matter_id),
        matter=view,
        days=recycle_bin.KEPT.days,
        transfers=recycle_bin.live_transfers(matter_id),
    )


@bp.post("/matters/<uuid:matter_id>/restore")
@needs("staff")
def restore_matter(matter_id: uuid.UUID) -> Response:
    name = recycle_bin.restore_matter(actor(), matter_id)
    flash(f"{name} has been restored.", "success")
    return go_to(url_for("matters.matter", matter_id=matter_id))


@bp.get("/matters/bin")
@needs("staff")
def binned_matters() -> ResponseReturnValue:
    found = recycle_bin.matters(actor(), page_number())
    return render_template("matters/binned_matters.html", found=found, days=recycle_bin.KEPT.days)
