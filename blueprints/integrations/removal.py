"""Removing a server: the pop-up with the consequences, the removal, and the removed links as CSV."""

from __future__ import annotations

import uuid

from flask import flash, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, get_only, needs
from blueprints.downloads import csv_attachment
from blueprints.htmx import go_to
from blueprints.integrations import bp
from blueprints.integrations.forms import RemoveServerForm
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError
from services.servers import practice, removal
from services.servers import views as server_views


@bp.get("/<uuid:server_id>/remove")
@needs("admin")
def confirm_removal(server_id: uuid.UUID) -> Response:
    return _answer(server_id, RemoveServerForm())


@bp.post("/<uuid:server_id>/remove")
@needs("admin")
def remove_server(server_id: uuid.UUID) -> Response:
    form = RemoveServerForm()
    try:
        removed = removal.remove(actor(), server_id, form.typed_name.data)
    except InvalidError as refusal:
        form.add_errors(refusal)
        return _answer(server_id, form)
    practice.delete_data(server_id)
    flash(f"“{removed.name}” has been removed. Documents in your matters have not changed.", "success")
    if removed.usage.links:
        flash("You can download its links as a CSV file under Removed servers.", "info")
    return go_to(url_for(".index"))


@bp.get("/removed/<uuid:removal_id>/links.csv")
@needs("admin")
@get_only
def removed_links(removal_id: uuid.UUID) -> Response:
    name, text = removal.removed_links(actor(), removal_id)
    return csv_attachment(text, f"Removed links of {name}.csv")


def _answer(server_id: uuid.UUID, form: RemoveServerForm) -> Response:
    view = server_views.server(actor(), server_id)
    running = removal.running_transfers(actor(), server_id)
    return popup("remove", f"Remove “{view.name}”?", form=form, server=view, running=running)
