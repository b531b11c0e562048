"""Adding the practice server."""

from __future__ import annotations

from flask import flash, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.integrations import bp
from blueprints.integrations.pages import popup
from services.servers import practice


@bp.get("/practice/new")
@needs("admin")
def new_practice_server() -> Response:
    return popup("practice", "Add practice server")


@bp.post("/practice")
@needs("admin")
def add_practice_server() -> Response:
    saved = practice.add(actor())
    flash(f"“{saved.name}” has been added. Switch it on to start it.", "success")
    return go_to(url_for(".server", server_id=saved.id))
