"""Learn this server: the pop-up with the scratch folder, and the run with every request."""

from __future__ import annotations

import uuid

from flask import render_template, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.forms_base import BaseForm, LineField
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError
from services.server_admin import learning
from services.servers import views as server_views


class LearnForm(BaseForm):
    folder = LineField("Scratch folder", "the folder’s ID or link", 500, required=False)


@bp.get("/<uuid:server_id>/learn")
@needs("admin")
def learn_server(server_id: uuid.UUID) -> Response:
    return _answer(server_id, LearnForm(formdata=None))


@bp.post("/<uuid:server_id>/learn")
@needs("admin")
def start_learning(server_id: uuid.UUID) -> Response:
    form = LearnForm()
    if form.validate():
        try:
            learning.start(actor(), server_id, form.folder.data or "")
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            return go_to(url_for(".facts", server_id=server_id))
    return _answer(server_id, form)


@bp.get("/<uuid:server_id>/learn/<uuid:run_id>")
@needs("admin")
def learning_run(server_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """A part of the page of facts, polled during the run; at its end the whole page is loaded again."""
    if not is_htmx():
        return go_to(url_for(".facts", server_id=server_id))
    run = learning.view(actor(), run_id)
    answer = fragment(render_template("integrations/_learning.html", run=run))
    if not run.is_running:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _answer(server_id: uuid.UUID, form: LearnForm) -> Response:
    view = server_views.server(actor(), server_id)
    is_signed_in = learning.is_signed_in(actor(), server_id)
    return popup("learn", "Learn this server", form=form, server=view, is_signed_in=is_signed_in)
