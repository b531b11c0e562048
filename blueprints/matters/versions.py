"""Versions: adding one, its note, making an older one current, downloading."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.authorization import actor, needs, takes_files
from blueprints.exposure_fields import ExposureFields
from blueprints.htmx import go_to
from blueprints.matters import bp, popup
from blueprints.matters.downloading import send
from blueprints.matters.forms import HELD, NoteForm, SameFileForm, VersionForm
from blueprints.matters.quotas import notice_for, refuse_unread
from services.access import permissions
from services.core.errors import InvalidError
from services.matters import documents, exposure, versions


@bp.route("/documents/<uuid:document_id>/versions/new", methods=["GET", "POST"])
@needs("member")
@takes_files
def new_version(document_id: uuid.UUID) -> ResponseReturnValue:
    view = documents.find(actor(), document_id)
    permissions.require_change_documents(actor(), view.matter_id)
    refused = refuse_unread(VersionForm, view.matter_id)
    form = refused or VersionForm()
    back = url_for("matters.document", document_id=document_id)
    if refused is None and form.validate_on_submit():
        file = form.file.data
        try:
            is_held = form.is_held(view.matter_id, document_id)
            name, note = file.filename or "", form.note.data or ""
            result = versions.add(actor(), document_id, name, file.stream, note, is_held=is_held)
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            if isinstance(result, versions.SameBytes):
                return popup(
                    "New version", "matters/_same_form.html", back, same=result, document=view, held=is_held
                )
            return _added(result, back, is_held)
    quota = "" if form.errors else notice_for(view.matter_id, view.may_change_documents)
    return popup(
        "New version",
        "matters/_version_form.html",
        back,
        form=form,
        document=view,
        quota=quota,
        question=exposure.question(actor(), view.matter_id, [document_id]),
    )


@bp.get("/versions/<uuid:version_id>/actions")
@needs("member")
def version_actions(version_id: uuid.UUID) -> ResponseReturnValue:
    """The content of a row's menu, loaded when it opens."""
    version = versions.require(actor(), version_id)
    document = documents.find(actor(), version.document_id)
    return render_template("matters/_version_actions.html", version=version, document=document)


@bp.post("/versions/<uuid:version_id>/again")
@needs("member")
def add_version_again(version_id: uuid.UUID) -> ResponseReturnValue:
    """Add a file that is identical to an existing version, after confirmation."""
    form = SameFileForm()
    version = versions.require(actor(), version_id)
    if not form.validate():
        raise InvalidError({field: " ".join(sentences) for field, sentences in form.errors.items() if field})
    is_held, name = form.held.data == "1" and not actor().is_guest, form.file_name.data or ""
    result = versions.add_again(actor(), version_id, name, form.note.data or "", is_held=is_held)
    return _added(result, url_for("matters.document", document_id=version.document_id), is_held)


@bp.route("/versions/<uuid:version_id>/current", methods=["GET", "POST"])
@needs("member")
def make_current(version_id: uuid.UUID) -> ResponseReturnValue:
    version = versions.require(actor(), version_id)
    question = exposure.question(actor(), version.matter_id, [version.document_id])
    form = ExposureFields(exposure=exposure.MEMBERS if version.held else None)
    back = url_for("matters.document", document_id=version.document_id)
    if form.validate_on_submit():
        try:
            is_held = form.is_held(version.matter_id, version.document_id) if question.may_hold else None
            versions.make_current(actor(), version_id, is_held=is_held)
            flash(f"Version {version.number} is now the current version.{HELD if is_held else ''}", "success")
            return go_to(back)
        except InvalidError as refusal:
            form.add_errors(refusal)
    return popup(
        "Make current",
        "matters/_current_form.html",
        back,
        form=form,
        version=version,
        document=documents.find(actor(), version.document_id),
        question=question,
    )


@bp.route("/versions/<uuid:version_id>/note", methods=["GET", "POST"])
@needs("member")
def change_note(version_id: uuid.UUID) -> ResponseReturnValue:
    version = versions.require_note(actor(), version_id)
    form = NoteForm(note=version.note)
    back = url_for("matters.document", document_id=version.document_id)
    if form.validate_on_submit():
        versions.change_note(actor(), version_id, form.note.data or "")
        flash(f"The note of version {version.number} has been saved.", "success")
        return go_to(back)
    return popup("Note", "matters/_note_form.html", back, form=form, version=version)


@bp.get("/versions/<uuid:version_id>/download")
@needs("member")
def download(version_id: uuid.UUID) -> ResponseReturnValue:
    return send(actor(), versions.require(actor(), version_id), request)


def _added(version: versions.Added, back: str, is_held: bool) -> ResponseReturnValue:
    held = HELD if is_held else ""
    flash(f"Version {version.number} has been added and is now the current version.{held}", "success")
    if version.other_type:
        flash(
            f"The file type has changed: the new file is {version.file_name}, and the document is still named "
            f"{version.document_name}.",
            "warning",
        )
    return go_to(back)
