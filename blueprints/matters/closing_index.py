"""The tab Index of a matter: its rows, their order, and the index as CSV and PDF."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.downloads import attachment, csv_attachment
from blueprints.forms_base import as_uuid, as_uuids
from blueprints.htmx import go_to, is_htmx
from blueprints.matters import bp, popup
from blueprints.matters.forms import HeadingForm, IndexRowForm
from services.access import permissions
from services.core.errors import ConflictError, InvalidError
from services.matters import closing_index, matters


@bp.get("/matters/<uuid:matter_id>/index")
@needs("staff")
def index_tab(matter_id: uuid.UUID) -> str:
    index = closing_index.read(actor(), matter_id)
    return render_template("matters/index_tab.html", index=index, matter=matters.find(actor(), matter_id))


@bp.route("/matters/<uuid:matter_id>/index/new", methods=["GET", "POST"])
@needs("staff")
def new_index_row(matter_id: uuid.UUID) -> ResponseReturnValue:
    permissions.require_change_index(actor(), matter_id)
    is_heading = "heading" in request.args
    form = HeadingForm() if is_heading else _row_form(matter_id)
    if form.validate_on_submit():
        try:
            closing_index.add(actor(), matter_id, form.command())
            return go_to(_tab(matter_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    title = "Add heading" if is_heading else "Add row"
    return popup(title, "matters/_index_row_form.html", _tab(matter_id), form=form, label=title)


@bp.post("/matters/<uuid:matter_id>/index/documents")
@needs("staff")
def add_to_index(matter_id: uuid.UUID) -> Response:
    """The documents named in the form, or with `all` those of the matter, that are not in the index."""
    ids = None if "all" in request.args else as_uuids(request.form.getlist("document"))
    count = closing_index.add_documents(actor(), matter_id, ids)
    flash(
        "The index already has these documents."
        if not count
        else "1 document has been added to the index."
        if count == 1
        else f"{count} documents have been added to the index.",
        "success" if count else "info",
    )
    return go_to(_tab(matter_id))


@bp.route("/index-rows/<uuid:row_id>/edit", methods=["GET", "POST"])
@needs("staff")
def edit_index_row(row_id: uuid.UUID) -> ResponseReturnValue:
    row = closing_index.find(actor(), row_id)
    form = (
        HeadingForm(title=row.title)
        if row.is_heading
        else _row_form(row.matter_id, row.title, row.document_id)
    )
    if form.validate_on_submit():
        try:
            closing_index.change(actor(), row_id, form.command())
            return go_to(_tab(row.matter_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    title = "Change heading" if row.is_heading else "Change row"
    return popup(title, "matters/_index_row_form.html", _tab(row.matter_id), form=form, label="Save", row=row)


@bp.post("/index-rows/<uuid:row_id>/remove")
@needs("staff")
def remove_index_row(row_id: uuid.UUID) -> Response:
    matter_id = closing_index.find(actor(), row_id).matter_id
    title = closing_index.remove(actor(), row_id)
    flash(f"{title} has been removed from the index.", "success")
    return go_to(_tab(matter_id))


@bp.post("/matters/<uuid:matter_id>/index/move")
@needs("staff")
def move_index_row(matter_id: uuid.UUID) -> ResponseReturnValue:
    """`move` is the id of a row, a colon, and the id of the row before which it goes, or nothing for the end."""
    row_id, _, before = request.form.get("move", "").partition(":")
    refused = ""
    try:
        closing_index.move(
            actor(),
            matter_id,
            as_uuid(row_id) or uuid.UUID(int=0),
            as_uuid(before),
            request.form.get("seen", ""),
        )
    except ConflictError as refusal:
        refused = refusal.text
    if is_htmx():
        index = closing_index.read(actor(), matter_id)
        return render_template("matters/_index_list.html", index=index, matter_id=matter_id, refused=refused)
    if refused:
        flash(refused, "warning")
    return go_to(_tab(matter_id))


@bp.get("/matters/<uuid:matter_id>/index.csv")
@needs("staff")
def index_csv(matter_id: uuid.UUID) -> Response:
    return csv_attachment(closing_index.as_csv(actor(), matter_id), "closing index.csv")


@bp.get("/matters/<uuid:matter_id>/index.pdf")
@needs("staff")
def index_pdf(matter_id: uuid.UUID) -> Response:
    return attachment(closing_index.as_pdf(actor(), matter_id), "application/pdf", "closing index.pdf")


def _row_form(matter_id: uuid.UUID, title: str = "", document_id: uuid.UUID | None = None) -> IndexRowForm:
    form = IndexRowForm(title=title, document=str(document_id or ""))
    found = closing_index.choices(actor(), matter_id, document_id)
    form.document.choices = [("", closing_index.TO_FOLLOW), *((str(each), name) for each, name in found)]
    return form


def _tab(matter_id: uuid.UUID) -> str:
    return url_for("matters.index_tab", matter_id=matter_id)
