"""Starting transfers, and the page with a transfer's progress."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.dialogs import popup
from blueprints.forms_base import as_uuids
from blueprints.htmx import fragment, go_to
from blueprints.query_params import page_number, sort_name
from blueprints.transfers import bp, bulk_save, notices, picker
from blueprints.transfers.answers import refused, refused_in_picker
from blueprints.transfers.forms import DecideForm, GetForm, RetryForm, SaveForm
from services.core.errors import InvalidError
from services.matters import exposure
from services.operations import worker_heartbeats
from services.transfers import control, decisions, requests, save_checks, undo, update_check
from services.transfers import notices as transfer_notices
from services.transfers import views as transfer_views

__all__ = ["bp", "bulk_save", "notices", "picker"]

REFRESHED = "documentsChanged"


@bp.get("/transfers")
@needs("staff")
def index() -> str:
    found = transfer_views.recent(actor(), page_number(), sort_name())
    transfer_notices.see(actor())
    return render_template("transfers/index.html", found=found)


@bp.post("/matters/<uuid:matter_id>/get/<uuid:server_id>")
@needs("staff")
def start_get(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    form = GetForm()
    if form.validate():
        try:
            transfer_id = requests.start_get(actor(), form.command(matter_id, server_id))
            return go_to(url_for("transfers.transfer", transfer_id=transfer_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    question = exposure.question(actor(), matter_id, as_uuids([form.document.data or ""]))
    return refused_in_picker(form, question=question, fields={"exposure": "exposure"})


@bp.post("/documents/<uuid:document_id>/save/<uuid:server_id>")
@needs("staff")
def start_save(document_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    form = SaveForm()
    check = None
    if form.validate():
        try:
            command = form.command(document_id, server_id)
            transfer_id = save_checks.start(actor(), command, form.accept.data or ())
            return go_to(url_for("transfers.transfer", transfer_id=transfer_id))
        except save_checks.UnacceptedConcernsError as unaccepted:
            form.add_errors(unaccepted)
            check = unaccepted.check
        except InvalidError as refusal:
            form.add_errors(refusal)
    return picker.save_refused(form, document_id, server_id, check)


@bp.get("/transfers/<uuid:transfer_id>")
@needs("staff")
def transfer(transfer_id: uuid.UUID) -> str:
    return render_template("transfers/transfer.html", **_context(transfer_id))


@bp.get("/transfers/<uuid:transfer_id>/_status")
@needs("staff")
def transfer_status(transfer_id: uuid.UUID) -> str:
    return render_template("transfers/_transfer.html", swaps_badge=True, **_context(transfer_id))


@bp.get("/matters/<uuid:matter_id>/_transfers")
@needs("staff")
def matter_status(matter_id: uuid.UUID) -> Response:
    """The live region of a matter's page. The end of the last transfer refreshes the list of documents."""
    is_live = transfer_views.is_live_in(actor(), matter_id)
    html = render_template("transfers/_matter.html", matter_id=matter_id, is_live=is_live, swaps_badge=True)
    was_live = "live" in request.args
    return fragment(html, **{REFRESHED: True}) if was_live and not is_live else fragment(html)


@bp.post("/transfers/<uuid:transfer_id>/cancel")
@needs("staff")
def cancel(transfer_id: uuid.UUID) -> Response:
    control.cancel(actor(), transfer_id)
    return go_to(url_for("transfers.transfer", transfer_id=transfer_id))


@bp.post("/transfers/<uuid:transfer_id>/pause")
@needs("staff")
def pause(transfer_id: uuid.UUID) -> Response:
    control.pause(actor(), transfer_id)
    return go_to(url_for("transfers.transfer", transfer_id=transfer_id))


@bp.post("/transfers/<uuid:transfer_id>/resume")
@needs("staff")
def resume(transfer_id: uuid.UUID) -> Response:
    control.resume(actor(), transfer_id)
    return go_to(url_for("transfers.transfer", transfer_id=transfer_id))


@bp.post("/transfers/<uuid:transfer_id>/retry")
@needs("staff")
def retry(transfer_id: uuid.UUID) -> Response:
    form = RetryForm()
    if not form.validate():
        return refused(form)
    new_id = control.retry_failed(actor(), transfer_id, form.key)
    return go_to(url_for("transfers.transfer", transfer_id=new_id))


@bp.route("/transfers/<uuid:transfer_id>/undo", methods=["GET", "POST"])
@needs("staff")
def undo_transfer(transfer_id: uuid.UUID) -> Response:
    back = url_for("transfers.transfer", transfer_id=transfer_id)
    if request.method == "POST":
        count = undo.undo(actor(), transfer_id)
        flash(f"{count} document{' was' if count == 1 else 's were'} removed or taken back.", "success")
        return go_to(back)
    view, crumb = transfer_views.transfer(actor(), transfer_id), ("Transfer", back)
    if view.kind == "save":
        made = undo.saved(actor(), transfer_id)
        more = view.done - len(made)
        return popup("transfers/_undo_save.html", "Undo", crumb, back=back, made=made, more=more)
    found = undo.preview(actor(), transfer_id)
    return popup("transfers/_undo.html", "Undo", crumb, back=back, preview=found)


@bp.post("/transfer-items/<uuid:item_id>/decide")
@needs("staff")
def decide(item_id: uuid.UUID) -> Response:
    form = DecideForm()
    if not form.validate():
        return refused(form)
    transfer_id = decisions.decide(actor(), item_id, form.choice.data or "", form.key)
    return go_to(url_for("transfers.transfer", transfer_id=transfer_id))


@bp.post("/matters/<uuid:matter_id>/check")
@needs("staff")
def check_matter(matter_id: uuid.UUID) -> Response:
    flash(update_check.check(actor(), matter_id).sentence, "info")
    return go_to(url_for("matters.matter", matter_id=matter_id))


@bp.post("/matters/<uuid:matter_id>/documents/<uuid:document_id>/check")
@needs("staff")
def check_document(matter_id: uuid.UUID, document_id: uuid.UUID) -> Response:
    flash(update_check.check(actor(), matter_id, document_id).sentence, "info")
    return go_to(url_for("matters.document", document_id=document_id))


def _context(transfer_id: uuid.UUID) -> dict[str, object]:
    page = page_number()
    view = transfer_views.transfer(actor(), transfer_id, page, request.args.get("show", ""))
    notices.mark_seen(view)
    return {
        "transfer": view,
        "page": page,
        "tabs": notices.tabs_of(view),
        "retry_key": uuid.uuid4(),
        "no_worker_answers": view.is_live and worker_heartbeats.are_all_silent(),
    }
