"""Adding a pasted list of emails to a restriction; saved with its Save button."""

from __future__ import annotations

import uuid

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, is_htmx
from blueprints.integrations import bp
from blueprints.integrations.forms import RestrictionForm
from blueprints.integrations.pages import server_answer
from services.servers import bulk_add, restriction
from services.servers import views as server_views


@bp.post("/<uuid:server_id>/restriction/pasted")
@needs("admin")
def paste_people(server_id: uuid.UUID) -> Response:
    """The list with the members found, and what happened to the other emails."""
    server_views.server(actor(), server_id)
    form = RestrictionForm()
    pasted = bulk_add.match(actor(), form.pasted.data or "", form.chosen)
    form.add.data = (*form.add.data, *pasted.ids)
    if not is_htmx():
        return server_answer(server_id, draft=form, pasted=pasted)
    html = render_template(
        "integrations/_people.html",
        server_id=server_id,
        people=restriction.people(actor(), form.chosen),
        pasted=pasted,
        q="",
        found=(),
    )
    return fragment(html)
