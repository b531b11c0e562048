"""The page of a removed server: the list of servers, with a notice."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from blueprints import errors
from blueprints.authorization import actor
from blueprints.htmx import is_htmx
from blueprints.integrations import bp
from blueprints.integrations.pages import servers_context
from services.servers.registry import ServerGoneError

STATUS = 404


@bp.errorhandler(ServerGoneError)
def server_is_gone(gone: ServerGoneError) -> Response:
    """An htmx request from a page opened before the removal gets the notice as a toast."""
    if is_htmx():
        view = errors.ErrorView(gone.code, gone.title, gone.sentence, gone.next_step, gone.owner)
        return errors.answer(view, STATUS)
    html = render_template("integrations/index.html", gone=gone, **servers_context(actor()))
    return Response(html, STATUS, mimetype="text/html")
