"""Documents: added to a matter, shown with their versions, renamed, downloaded as a zip file; and the menu of a row."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from blueprints.authorization import actor, get_only, needs, takes_files
from blueprints.forms_base import as_uuids
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.matters import bp, popup
from blueprints.matters.downloading import send_zip
from blueprints.matters.forms import HELD, DocumentForm, DocumentNameForm
from blueprints.matters.quotas import notice_for, refuse_unread
from blueprints.query_params import is_search, page_number, search_text
from services.access import permissions, server_access
from services.core.errors import InvalidError, NotFoundError
from services.core.text.file_names import visible
from services.drift import linking
from services.matters import audiences, documents, duplicates, exposure, matters, versions, zip_downloads
from services.transfers import links


@bp.route("/matters/<uuid:matter_id>/documents/new", methods=["GET", "POST"])
@needs("member")
@takes_files
def new_document(matter_id: uuid.UUID) -> ResponseReturnValue:
    view = matters.find(actor(), matter_id)
    permissions.require_change_documents(actor(), matter_id)
    refused = refuse_unread(DocumentForm, matter_id)
    form = refused or DocumentForm()
    back = url_for("matters.matter", matter_id=matter_id)
    added: list[str] = []
    if refused is None and form.validate_on_submit():
        files = form.file.data
        try:
            is_held = form.is_held(matter_id)
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            problems = [
                each for file in files if (each := _add(matter_id, file, added, len(files) > 1, is_held))
            ]
            if not problems:
                flash(_sentence(added) + (HELD if is_held else ""), "success")
                return go_to(back)
            for problem in problems:
                form.add_errors(InvalidError({"file": problem}))
    quota = "" if form.errors else notice_for(matter_id, view.may_change_documents)
    answer = popup(
        "Add document",
        "matters/_upload_form.html",
        back,
        form=form,
        matter=view,
        added=added,
        quota=quota,
        question=exposure.question(actor(), matter_id),
    )
    return fragment(answer, answer.status_code, documentsChanged=True) if added else answer


@bp.get("/matters/<uuid:matter_id>/documents.zip")
@get_only
@needs("member")
def documents_zip(matter_id: uuid.UUID) -> Response:
    """The documents named in the query, or all of the matter."""
    ids = as_uuids(request.args.getlist("document"))
    return send_zip(zip_downloads.of_documents(actor(), matter_id, ids))


@bp.get("/documents/<uuid:document_id>")
@needs("member")
def document(document_id: uuid.UUID) -> ResponseReturnValue:
    view = documents.find(actor(), document_id)
    usable = server_access.available_to(actor())
    return render_template(
        "matters/document.html",
        document=view,
        audience=audiences.of_documents(actor(), [document_id]).get(document_id, audiences.EVERYBODY),
        history=versions.history(actor(), document_id, page_number()),
        twins=links.for_document(actor(), document_id, usable),
        statuses=links.for_documents(actor(), [document_id], usable).get(document_id, ()),
        servers=usable if view.may_transfer else (),
        elsewhere=linking.elsewhere(actor(), document_id, usable),
    )


@bp.get("/documents/<uuid:document_id>/actions")
@needs("member")
def document_actions(document_id: uuid.UUID) -> ResponseReturnValue:
    """The content of a row's menu, loaded when it opens: forty menus would outweigh the list."""
    view = documents.find(actor(), document_id)
    statuses = links.for_documents(actor(), [document_id]).get(document_id, ())
    return render_template(
        "matters/_actions.html",
        document=view,
        twins=[status.twin for status in statuses],
        servers=server_access.available_to(actor()) if view.may_transfer else (),
    )


@bp.route("/documents/<uuid:document_id>/rename", methods=["GET", "POST"])
@needs("member")
def rename_document(document_id: uuid.UUID) -> ResponseReturnValue:
    view = documents.find(actor(), document_id)
    permissions.require_change_documents(actor(), view.matter_id)
    form = DocumentNameForm(name=view.stem)
    back = url_for("matters.document", document_id=document_id)
    if form.validate_on_submit():
        try:
            name = documents.rename(actor(), document_id, form.name.data or "")
            flash(f"The document has been renamed {name}.", "success")
            return go_to(back)
        except InvalidError as refusal:
            form.add_errors(refusal)
    return popup("Rename", "matters/_rename_form.html", back, form=form, document=view)


@bp.get("/matters/<uuid:matter_id>/save/<uuid:server_id>")
@needs("staff")
def choose_document(matter_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    """Saving from the matter's page: choose a document first, unless some are ticked."""
    permissions.require_transfer(actor(), matter_id)
    label = next((each.label for each in server_access.available_to(actor()) if each.id == server_id), None)
    if label is None:
        raise NotFoundError()
    if ticked := request.args.getlist("document"):
        many = "transfers.save_many_picker"
        return redirect(url_for(many, matter_id=matter_id, server_id=server_id, document=ticked))
    context: dict[str, Any] = {
        "found": documents.of_matter(actor(), matter_id, search_text()),
        "matter_id": matter_id,
        "server_id": server_id,
        "total": matters.find(actor(), matter_id).documents,
    }
    if is_htmx() and is_search():
        return render_template("matters/_choices.html", **context)
    back = url_for("matters.matter", matter_id=matter_id)
    return popup(f"Save to {label}", "matters/_choose.html", back, **context)


def _add(
    matter_id: uuid.UUID, file: FileStorage, added: list[str], one_of_several: bool, is_held: bool
) -> str:
    """Add one file in its own commit. Returns why it was refused, or an empty string."""
    name = file.filename or ""
    try:
        document_id = documents.add(actor(), matter_id, name, file.stream, is_held=is_held)
    except InvalidError as refusal:
        return f"{visible(name)}: {refusal.sentence}" if one_of_several else refusal.sentence
    added.append(name)
    if same := duplicates.of_document(actor(), document_id):
        flash(f"{visible(name)}: {same}" if one_of_several else same, "info")
    return ""


def _sentence(added: list[str]) -> str:
    return f"{added[0]} has been added." if len(added) == 1 else f"{len(added)} documents have been added."
