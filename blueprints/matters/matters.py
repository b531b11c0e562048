"""Matters: the list, opening one, its page, its details."""

from __future__ import annotations

import uuid

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to, is_htmx
from blueprints.matters import bp
from blueprints.matters.answers import form_answer
from blueprints.matters.forms import MatterForm
from blueprints.matters.open_dialog import dialog_to_open
from blueprints.matters.quotas import notice_for
from blueprints.query_params import page_number, search_text
from services.access import permissions, server_access
from services.matters import documents, matters
from services.transfers import links


@bp.get("/matters")
@bp.get("/")
@needs("member")
def index() -> ResponseReturnValue:
    found = matters.mine(actor(), search_text(), page_number())
    template = "matters/_list.html" if is_htmx() else "matters/index.html"
    return render_template(template, found=found, may_create=permissions.may_create_matters(actor()))


@bp.route("/matters/new", methods=["GET", "POST"])
@needs("staff")
def new() -> ResponseReturnValue:
    form = MatterForm()
    if form.validate_on_submit():
        matter_id = matters.create(actor(), form.details())
        flash("The matter is open. You are its lead.", "success")
        return go_to(url_for("matters.matter", matter_id=matter_id))
    return form_answer("New matter", "matters/_matter_form.html", url_for("matters.index"), form=form)


@bp.get("/matters/<uuid:matter_id>")
@needs("member")
def matter(matter_id: uuid.UUID) -> ResponseReturnValue:
    """The matter's page, or for htmx its documents only."""
    view = matters.find(actor(), matter_id)
    found = documents.of_matter(actor(), matter_id, search_text(), page_number())
    usable = server_access.available_to(actor())
    servers = usable if view.may_transfer else ()
    twins = links.for_documents(actor(), [row.id for row in found.rows], usable)
    return render_template(
        "matters/_documents_changed.html" if is_htmx() else "matters/matter.html",
        matter=view,
        found=found,
        twins=twins,
        servers=servers,
        quota=notice_for(matter_id, view.may_change_documents),
        pop_up=dialog_to_open(matter_id, servers),
    )


@bp.route("/matters/<uuid:matter_id>/rename", methods=["GET", "POST"])
@needs("staff")
def rename(matter_id: uuid.UUID) -> ResponseReturnValue:
    view = matters.find(actor(), matter_id)
    permissions.require_change_matter(actor(), matter_id)
    form = MatterForm(obj=view)
    back = url_for("matters.matter", matter_id=matter_id)
    if form.validate_on_submit():
        matters.rename(actor(), matter_id, form.details())
        flash("The matter’s details have been changed.", "success")
        return go_to(back)
    return form_answer("Change details", "matters/_matter_form.html", back, form=form, matter=view)
