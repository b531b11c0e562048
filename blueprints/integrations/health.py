"""The health line of a server's page, polled while the page is open; and Try now."""

from __future__ import annotations

import uuid

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from services.monitoring import schedule
from services.monitoring import state as monitoring_state
from services.servers import circuit_breaker
from services.servers import views as server_views


@bp.get("/<uuid:server_id>/health")
@needs("admin")
def server_health(server_id: uuid.UUID) -> Response:
    """A part of the server's page; opened by itself, it redirects to the page."""
    if not is_htmx():
        return go_to(url_for(".server", server_id=server_id))
    view = server_views.server(actor(), server_id)
    html = render_template(
        "integrations/_health_line.html",
        server=view,
        health=monitoring_state.health(actor(), server_id),
        check_minutes=monitoring_state.minutes(),
        circuit=circuit_breaker.open_circuits().get(server_id),
    )
    return fragment(html)


@bp.post("/<uuid:server_id>/try-now")
@needs("admin")
def try_now(server_id: uuid.UUID) -> Response:
    schedule.try_now(actor(), server_id)
    flash("The pause has ended. Waiting transfers resume, and the connection is being checked.", "success")
    return go_to(url_for(".server", server_id=server_id))
