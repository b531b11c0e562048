"""Saving many documents of a matter at once: the pop-up with the outcome for each, and the start of the transfer."""

from __future__ import annotations

import uuid

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.forms_base import as_uuid, as_uuids
from blueprints.htmx import fragment, go_to
from blueprints.transfers import bp
from blueprints.transfers.answers import open_dialog, refused_in_picker, sign_in_first
from blueprints.transfers.forms import SaveManyForm
from blueprints.transfers.picker import offer_url
from services.core.errors import InvalidError, NotFoundError, SignInNeededError
from services.transfers import bulk_save


@bp.get("/matters/<uuid:matter_id>/save-many/<uuid:server_id>")
@needs("staff")
def save_many_picker(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """For the documents named, or with `all` for the whole matter."""

    def draw() -> str:
        document_ids = None if "all" in request.args else _document_ids()
        return render_template(
            "transfers/_picker_save_many.html",
            picker=bulk_save.plan(actor(), matter_id, server_id, document_ids),
            browse=url_for(".browse", matter_id=matter_id, server_id=server_id, saving=1),
            offer=offer_url(matter_id, server_id, saving=1),
            request_key=uuid.uuid4(),
        )

    return open_dialog(draw, server_id, url_for("matters.matter", matter_id=matter_id))


@bp.post("/matters/<uuid:matter_id>/save-many/<uuid:server_id>/check")
@needs("staff")
def check_many(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """The check of each twin in iManage, requested once the pop-up is open."""
    ids = as_uuids(request.form.getlist("document"))
    try:
        picker = bulk_save.check(actor(), matter_id, server_id, ids)
    except SignInNeededError as needed:
        return sign_in_first(needed, server_id, url_for("matters.matter", matter_id=matter_id))
    return fragment(render_template("transfers/_picker_many_check.html", picker=picker))


@bp.post("/matters/<uuid:matter_id>/save-many/<uuid:server_id>")
@needs("staff")
def start_save_many(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    form = SaveManyForm()
    if form.validate():
        try:
            transfer_id = bulk_save.start(actor(), form.command(matter_id, server_id))
            return go_to(url_for("transfers.transfer", transfer_id=transfer_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    return refused_in_picker(form)


def _document_ids() -> list[uuid.UUID]:
    ids = [as_uuid(text) for text in request.args.getlist("document")]
    if None in ids:
        raise NotFoundError("We could not find one of these documents.")
    return [each for each in ids if each is not None]
