"""Why can’t a member use it? The page that explains which rule prevents it."""

from __future__ import annotations

import uuid

from flask import render_template, request
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, is_htmx
from blueprints.integrations import bp
from blueprints.query_params import search_text
from services.server_admin import access_explainer
from services.servers import views as server_views


@bp.get("/<uuid:server_id>/why")
@needs("admin")
def why_not(server_id: uuid.UUID) -> Response:
    """The search for a member; htmx only gets its results."""
    query = search_text().strip()
    page = "_why_results.html" if is_htmx() else "why.html"
    html = render_template(
        f"integrations/{page}",
        server=server_views.server(actor(), server_id),
        q=query,
        found=access_explainer.candidates(actor(), server_id, query),
        explanation=None,
    )
    return fragment(html)


@bp.get("/<uuid:server_id>/why/<uuid:member_id>")
@needs("admin")
def why_not_member(server_id: uuid.UUID, member_id: uuid.UUID) -> str:
    found = access_explainer.explain(
        actor(), server_id, member_id, request.args.get("matter", type=uuid.UUID)
    )
    return render_template(
        "integrations/why.html",
        server=server_views.server(actor(), server_id),
        q="",
        found=(),
        explanation=found,
    )
