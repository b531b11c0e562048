"""The undertaking of a matter: accepted by guests before they enter, changed by leads, and who has accepted it."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.downloads import csv_attachment
from blueprints.htmx import go_to
from blueprints.matters import bp, popup
from blueprints.matters.forms import UndertakingForm
from blueprints.query_params import page_number
from services.access import permissions
from services.core.errors import InvalidError
from services.core.text.local_redirects import local_path
from services.matters import matters, undertakings


@bp.get("/matters/<uuid:matter_id>/undertaking")
@needs("member")
def undertaking(matter_id: uuid.UUID) -> ResponseReturnValue:
    offer = undertakings.offer(actor(), matter_id)
    if offer.undertaking is None:
        return go_to(url_for("matters.matter", matter_id=matter_id))
    return render_template(
        "matters/undertaking.html",
        offer=offer,
        matter_id=matter_id,
        next=local_path(request.args.get("next")),
    )


@bp.post("/matters/<uuid:matter_id>/undertaking")
@needs("member")
def accept_undertaking(matter_id: uuid.UUID) -> Response:
    undertaking_id = request.form.get("undertaking", type=uuid.UUID) or uuid.UUID(int=0)
    undertakings.accept(actor(), matter_id, undertaking_id)
    return go_to(local_path(request.form.get("next")) or url_for("matters.matter", matter_id=matter_id))


@bp.route("/matters/<uuid:matter_id>/undertaking/change", methods=["GET", "POST"])
@needs("staff")
def change_undertaking(matter_id: uuid.UUID) -> ResponseReturnValue:
    permissions.require_change_matter(actor(), matter_id)
    before = undertakings.in_force(actor(), matter_id)
    form = UndertakingForm(obj=before)
    back = url_for("matters.people", matter_id=matter_id)
    if form.validate_on_submit():
        try:
            undertakings.change(actor(), matter_id, form.title.data or "", form.text.data or "")
            flash("Guests are asked to accept the undertaking before they enter this matter.", "success")
            return go_to(back)
        except InvalidError as refusal:
            form.add_errors(refusal)
    return popup("Undertaking", "matters/_undertaking_form.html", back, form=form, before=before)


@bp.post("/matters/<uuid:matter_id>/undertaking/withdraw")
@needs("staff")
def withdraw_undertaking(matter_id: uuid.UUID) -> Response:
    undertakings.withdraw(actor(), matter_id)
    flash("Guests now enter this matter without accepting an undertaking.", "success")
    return go_to(url_for("matters.people", matter_id=matter_id))


@bp.get("/matters/<uuid:matter_id>/acceptances")
@needs("staff")
def acceptances(matter_id: uuid.UUID) -> ResponseReturnValue:
    return render_template(
        "matters/acceptances.html",
        matter=matters.find(actor(), matter_id),
        found=undertakings.acceptances(actor(), matter_id, page_number()),
    )


@bp.get("/matters/<uuid:matter_id>/acceptances.csv")
@needs("staff")
def acceptances_csv(matter_id: uuid.UUID) -> Response:
    return csv_attachment(undertakings.acceptances_csv(actor(), matter_id), "acceptances.csv")
