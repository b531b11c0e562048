"""The switch Enabled, with a pop-up where the server may not work or transfers are running."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.forms_base import switched_on
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from blueprints.integrations.pages import question
from services.monitoring import state as monitoring_state
from services.server_admin import enabling, onboarding
from services.servers import restriction
from services.servers import views as server_views


@bp.post("/<uuid:server_id>/enabled")
@needs("admin")
def set_enabled(server_id: uuid.UUID) -> Response:
    wanted = switched_on("enabled")
    try:
        enabling.switch(actor(), server_id, wanted, is_sure=request.form.get("sure") == "1")
    except enabling.UnprovenServerError as unsure:
        view = server_views.server(actor(), server_id)
        title = f"Enable “{view.name}”?" if wanted else f"Switch off “{view.name}”?"
        return question("switch", title, server=view, unsure=unsure)
    view = server_views.server(actor(), server_id)
    tone, sentence = _outcome(view)
    if not is_htmx():
        flash(sentence, tone)
        return go_to(url_for(".server", server_id=server_id))
    html = render_template(
        "integrations/_after_switch.html",
        server=view,
        checklist=onboarding.checklist(actor(), server_id),
        health=monitoring_state.health(actor(), server_id),
        sentence=sentence,
        tone=tone,
    )
    return fragment(html, closeDialog=True)


def _outcome(view: server_views.ServerView) -> tuple[str, str]:
    """Tone and sentence after switching."""
    name = f"“{view.name}”"
    if not view.is_enabled:
        return "success", f"{name} is off. Nobody can get or save; running transfers stop at their next step."
    kept = restriction.restriction(actor(), view.id)
    if kept.is_restricted and not kept.listed:
        return "warning", f"{name} is on, but nobody can use it: it is restricted and no members are listed."
    doubt = enabling.doubt_about(actor(), view)
    if doubt is None:
        who = "Listed members" if kept.is_restricted else "Members"
        return "success", f"{name} is on. {who} can now get and save documents."
    if doubt.reason == enabling.FAILED:
        return (
            "warning",
            f"{name} is on, but its last check failed: {doubt.health.sentence} Members cannot get or save until this "
            "is fixed.",
        )
    if doubt.reason == enabling.CIRCUIT_OPEN:
        return "warning", f"{name} is on, but calls to it are paused after repeated failures."
    when = "recently" if doubt.reason == enabling.OLD else "yet"
    return (
        "warning",
        f"{name} is on. It has not been checked {when}. Press Check connection to see if it works.",
    )
