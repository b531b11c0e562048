"""The switch Enabled: at once where nothing speaks against it, else a pop-up says what is known and asks."""

from __future__ import annotations

import uuid

from flask import abort, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from blueprints.integrations.pages import question
from services.monitoring import state as monitoring_state
from services.server_admin import enabling, onboarding
from services.servers import views as server_views


@bp.post("/<uuid:server_id>/enabled")
@needs("admin")
def set_enabled(server_id: uuid.UUID) -> Response:
    wanted = {"1": True, "0": False}.get(request.form.get("enabled", ""))
    if wanted is None:
        abort(400)
    try:
        enabling.switch(actor(), server_id, wanted, is_sure=request.form.get("sure") == "1")
    except enabling.UnprovenServerError as unsure:
        view = server_views.server(actor(), server_id)
        title = f"Enable “{view.name}”?" if wanted else f"Switch off “{view.name}”?"
        return question("switch", title, server=view, unsure=unsure)
    view = server_views.server(actor(), server_id)
    tone, sentence = enabling.said_after(actor(), view)
    if not is_htmx():
        flash(sentence, tone)
        return go_to(url_for(".server", server_id=server_id))
    html = render_template(
        "integrations/_switched.html",
        server=view,
        checklist=onboarding.checklist(actor(), server_id),
        health=monitoring_state.health(actor(), server_id),
        sentence=sentence,
        tone=tone,
    )
    return fragment(html, closeDialog=True)
