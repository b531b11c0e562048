"""The Drift tab: the list, checks, and what can be done with documents that are not in step with iManage."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints import dialogs
from blueprints.authorization import actor, needs
from blueprints.downloads import csv_attachment
from blueprints.drift import bp
from blueprints.drift.forms import AccessForm, DocumentsForm, GetNewerForm, IgnoreForm, LinkForm
from blueprints.forms_base import BaseForm, as_uuids
from blueprints.htmx import fragment, go_to, is_htmx, page_behind
from blueprints.query_params import page_number, search_text
from services.access import permissions, server_access
from services.core.errors import InvalidError
from services.drift import board as drift
from services.drift import decisions, export, getting, linking, watch
from services.matters import documents, exposure, matters

__all__ = ["bp"]

CHANGED = "documentsChanged"
DONE = {decisions.KEEP: "kept", decisions.HOLD: "held for members", decisions.REMOVE: "in the bin"}


@bp.get("/matters/<uuid:matter_id>/drift")
@needs("staff")
def board(matter_id: uuid.UUID) -> ResponseReturnValue:
    """The tab, or for htmx its list only."""
    found = drift.board(actor(), matter_id, _state(), page_number())
    return render_template(
        "drift/_list.html" if is_htmx() else "drift/board.html",
        board=found,
        matter=matters.find(actor(), matter_id),
    )


@bp.post("/matters/<uuid:matter_id>/drift/opened")
@needs("staff")
def opened(matter_id: uuid.UUID) -> ResponseReturnValue:
    """A page of the matter was opened: its twins are checked in the background."""
    watch.request(actor(), matter_id)
    return _states(matter_id)


@bp.get("/matters/<uuid:matter_id>/_states")
@needs("staff")
def states(matter_id: uuid.UUID) -> ResponseReturnValue:
    """The counts by state, polled while twins are checked."""
    return _states(matter_id)


@bp.post("/matters/<uuid:matter_id>/drift/check")
@needs("staff")
def check(matter_id: uuid.UUID) -> ResponseReturnValue:
    flash(watch.sweep(actor(), matter_id), "info")
    return go_to(_tab(matter_id))


@bp.get("/documents/<uuid:document_id>/drift/<uuid:server_id>/actions")
@needs("staff")
def actions(document_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    """The content of a row's menu."""
    view = documents.find(actor(), document_id)
    rows = drift.rows_on(actor(), view.matter_id, server_id, [document_id])
    matter = matters.find(actor(), view.matter_id)
    return render_template("drift/_actions.html", document=view, rows=rows, matter=matter)


@bp.route("/matters/<uuid:matter_id>/drift/<uuid:server_id>/get", methods=["GET", "POST"])
@needs("staff")
def get_newer(matter_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    form = GetNewerForm()
    if form.validate_on_submit():
        try:
            transfer_id = getting.start(actor(), form.command(matter_id, server_id))
            return go_to(url_for("transfers.transfer", transfer_id=transfer_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    rows = getting.newer(actor(), matter_id, server_id, _documents(form))
    form.request_key.data = form.request_key.data or str(uuid.uuid4())
    title = "Get newer version" if len(rows) == 1 else "Get newer versions"
    question = exposure.question(actor(), matter_id, [row.document_id for row in rows])
    return _popup(
        "drift/_get_form.html", title, matter_id, server_id, rows=rows, form=form, question=question
    )


@bp.route("/matters/<uuid:matter_id>/drift/<uuid:server_id>/ignore", methods=["GET", "POST"])
@needs("staff")
def ignore(matter_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    permissions.require_transfer(actor(), matter_id)
    form = IgnoreForm()
    if form.validate_on_submit():
        try:
            count = decisions.ignore(actor(), form.command(matter_id, server_id))
            flash(f"{_counted(count)} ignored until the next change.", "success")
            return go_to(_back(matter_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    rows = [
        row
        for row in drift.rows_on(actor(), matter_id, server_id, _documents(form))
        if row.is_ignorable and row.decision is None
    ]
    return _popup("drift/_ignore_form.html", "Ignore", matter_id, server_id, rows=rows, form=form)


@bp.route("/matters/<uuid:matter_id>/drift/<uuid:server_id>/access", methods=["GET", "POST"])
@needs("staff")
def decide_access(matter_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    """What becomes of our copies of documents that are out of reach."""
    permissions.require_change_matter(actor(), matter_id)
    form = AccessForm()
    if form.validate_on_submit():
        try:
            command = form.command(matter_id, server_id)
            count = decisions.decide_copies(actor(), command)
            flash(f"{_counted(count)} {DONE[command.choice]}.", "success")
            return go_to(_back(matter_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    rows = [
        row
        for row in drift.rows_on(actor(), matter_id, server_id, _documents(form))
        if row.is_out_of_reach and row.decision is None
    ]
    return _popup("drift/_access_form.html", "Our copy", matter_id, server_id, rows=rows, form=form)


@bp.post("/matters/<uuid:matter_id>/drift/<uuid:server_id>/undo")
@needs("staff")
def undo(matter_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    count = decisions.undo(actor(), matter_id, server_id, _documents(DocumentsForm()))
    flash(f"{_counted(count)} listed again.", "success")
    return go_to(_back(matter_id))


@bp.route("/matters/<uuid:matter_id>/drift/<uuid:server_id>/unlink", methods=["GET", "POST"])
@needs("staff")
def unlink(matter_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    permissions.require_transfer(actor(), matter_id)
    form = DocumentsForm()
    if form.validate_on_submit():
        count = linking.unlink(actor(), matter_id, server_id, form.documents)
        flash(f"{_counted(count)} unlinked.", "success")
        return go_to(_back(matter_id))
    rows = drift.rows_on(actor(), matter_id, server_id, _documents(form))
    return _popup("drift/_unlink_form.html", "Unlink", matter_id, server_id, rows=rows, form=form)


@bp.route("/documents/<uuid:document_id>/link/<uuid:server_id>", methods=["GET", "POST"])
@needs("staff")
def link(document_id: uuid.UUID, server_id: uuid.UUID) -> ResponseReturnValue:
    form = LinkForm()
    view = linking.form(actor(), document_id, server_id)
    if form.validate_on_submit():
        try:
            linked = linking.link(actor(), form.command(document_id, server_id))
            same = "" if linked.is_identical else " Its content differs from the one here."
            flash(f"{view.name} is linked to {linked.reference}.{same}", "success")
            return go_to(_back(view.matter_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    back = url_for("matters.document", document_id=document_id)
    return dialogs.popup(
        "drift/_link_form.html", f"Link to {view.label}", ("Document", back), form=form, view=view, back=back
    )


@bp.get("/documents/<uuid:document_id>/link/<uuid:server_id>/_found")
@needs("staff")
def found(document_id: uuid.UUID, server_id: uuid.UUID) -> str:
    """Documents in iManage to choose from."""
    text = search_text()
    candidates = linking.search(actor(), document_id, server_id, text)
    return render_template("drift/_found.html", candidates=candidates, text=text)


@bp.get("/matters/<uuid:matter_id>/links.csv")
@needs("staff")
def links_csv(matter_id: uuid.UUID) -> Response:
    return csv_attachment(export.as_csv(actor(), matter_id), "links.csv")


def _states(matter_id: uuid.UUID) -> Response:
    """The end of the checks redraws the list beside it."""
    usable = server_access.available_to(actor())
    server_ids = [server.id for server in usable]
    twins = drift.twins(actor(), matter_id, usable)
    checking = drift.checking(matter_id, server_ids, watch.has_askers(matter_id, server_ids))
    on_board = "board" in request.args
    html = render_template(
        "drift/_states.html",
        matter_id=matter_id,
        twins=twins,
        counts=twins.drift_counts(_state()) if on_board else twins.counts(drift.documents(matter_id)),
        checking=checking,
        state=_state(),
        on_board=on_board,
    )
    is_over = "checking" in request.args and not checking.pending
    return fragment(html, **({CHANGED: True} if is_over else {}))


def _popup(
    part: str, title: str, matter_id: uuid.UUID, server_id: uuid.UUID, form: BaseForm, **context: Any
) -> Response:
    if not context["rows"]:
        raise InvalidError({"document": "None of these documents can be chosen. Open Drift again."})
    label = server_access.known_to(actor()).label(server_id)
    back = _tab(matter_id)
    return dialogs.popup(
        part, title, ("Drift", back), form=form, back=back, url=request.path, label=label, **context
    )


def _state() -> str:
    """The filter of the list; empty for one that does not exist."""
    state = request.args.get("state", "")
    return state if state in drift.STATES else ""


def _documents(form: DocumentsForm) -> tuple[uuid.UUID, ...]:
    """As posted, or named in the address of the pop-up."""
    return form.documents or as_uuids(request.args.getlist("document"))


def _tab(matter_id: uuid.UUID) -> str:
    return url_for("drift.board", matter_id=matter_id)


def _back(matter_id: uuid.UUID) -> str:
    """The page of the matter or document that the form was opened on."""
    behind = page_behind()
    return behind if behind.startswith(("/documents/", f"/matters/{matter_id}")) else _tab(matter_id)


def _counted(count: int) -> str:
    return "1 document is" if count == 1 else f"{count} documents are"
