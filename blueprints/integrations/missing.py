"""The address of a server that is not there any more answers with the list of those that are."""

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
    """A press on a page that is older than the removal is told the same in a toast."""
    if is_htmx():
        view = errors.ErrorView(gone.code, gone.title, gone.sentence, gone.next_step, gone.owner)
        return errors.answer(view, STATUS)
    html = render_template("integrations/index.html", gone=gone, **servers_context(actor()))
    return Response(html, STATUS, mimetype="text/html")
