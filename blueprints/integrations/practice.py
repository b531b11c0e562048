"""Adding the practice server: the pop-up that says what it is, and the act."""

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
    flash(f"“{saved.name}” is added. It is off, and not running, until you switch it on.", "success")
    return go_to(url_for(".server", server_id=saved.id))
