"""For System Admins: who is signed in to a server, and ending somebody's sign-in there."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.access import actor, needs
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.oauth.room import room
from services import connections


@room.get("/admin/integrations/imanage/<uuid:server_id>/sign-ins")
@needs("admin")
def sign_ins(server_id: uuid.UUID) -> Response:
    """A part of the server's page; its address alone leads there."""
    if not is_htmx():
        return go_to(url_for("integrations.server", server_id=server_id))
    return fragment(_drawn(server_id))


@room.post("/admin/integrations/imanage/<uuid:server_id>/sign-ins/<uuid:member_id>/end")
@needs("admin")
def end_sign_in(server_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    connections.disconnect_member(actor(), server_id, member_id)
    if is_htmx():
        return fragment(_drawn(server_id))
    flash("The sign-in has ended. Documents and links stay as they are.", "success")
    return go_to(url_for("integrations.server", server_id=server_id))


def _drawn(server_id: uuid.UUID) -> str:
    page = max(1, request.args.get("page", 1, type=int))
    found = connections.status_for_admin(actor(), server_id, page)
    return render_template("oauth/_sign_ins.html", sign_ins=found, server_id=server_id)
