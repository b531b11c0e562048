"""Admin System > Audit: who did what, when and from where, newest first."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from blueprints.access import actor, needs
from blueprints.audit.words import detail_lines, words_for
from blueprints.htmx import is_htmx
from services import audit_log

room = Blueprint("audit", __name__, url_prefix="/admin/audit")

LAST_PAGE = 100_000
LONGEST_SEARCH = 200


@room.get("")
@needs("admin")
def index() -> str:
    text = request.args.get("q", "")[:LONGEST_SEARCH]
    outcome = request.args.get("outcome", "")
    if outcome not in audit_log.OUTCOMES:
        outcome = ""
    page = min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)
    found = audit_log.page_of_events(actor(), text=text, outcome=outcome, page=page)
    return render_template(
        "audit/_list.html" if is_htmx() else "audit/index.html",
        found=found,
        text=text,
        outcome=outcome,
        outcomes=audit_log.OUTCOMES,
        words_for=words_for,
        detail_lines=detail_lines,
    )
