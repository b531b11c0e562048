"""A server's route: direct, or through the installation's outbound proxy."""

from __future__ import annotations

import uuid
from contextlib import suppress

from flask import flash, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.integrations import bp
from blueprints.integrations.forms import RouteForm
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError, TooManyError
from services.monitoring import check_runs
from services.servers import registry
from services.servers import views as server_views


@bp.get("/<uuid:server_id>/route")
@needs("admin")
def edit_route(server_id: uuid.UUID) -> Response:
    view = server_views.server(actor(), server_id)
    return _answer(view, RouteForm(formdata=None, route=view.route, version=view.version))


@bp.post("/<uuid:server_id>/route")
@needs("admin")
def change_route(server_id: uuid.UUID) -> Response:
    """Save, and check the new route at once."""
    form = RouteForm()
    try:
        changed = registry.set_route(actor(), server_id, form.route.data or "", form.version.data or "")
    except InvalidError as refusal:
        form.add_errors(refusal)
        view = server_views.server(actor(), server_id)
        form.version.data = view.version
        return _answer(view, form)
    if changed:
        flash("Saved the route. New connections use it.", "success")
        with suppress(TooManyError):
            check_runs.start(actor(), server_id)
    return go_to(url_for(".server", server_id=server_id))


def _answer(view: server_views.ServerView, form: RouteForm) -> Response:
    return popup("route", "Change route", form=form, server=view)
