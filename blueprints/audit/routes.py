"""Admin System > Audit log: who did what, when and from where, newest first."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from blueprints.audit.words import detail_lines, words_for
from blueprints.authorization import actor, needs
from blueprints.htmx import is_htmx
from blueprints.query_params import page_number, search_text
from services.core.text.file_names import visible
from services.operations import audit_log

bp = Blueprint("audit", __name__, url_prefix="/admin/audit")


@bp.get("")
@needs("admin")
def index() -> str:
    text = search_text()
    outcome = request.args.get("outcome", "")
    if outcome not in audit_log.OUTCOMES:
        outcome = ""
    found = audit_log.events(actor(), text=text, outcome=outcome, page=page_number())
    return render_template(
        "audit/_list.html" if is_htmx() else "audit/index.html",
        found=found,
        text=text,
        outcome=outcome,
        outcomes=audit_log.OUTCOMES,
        words_for=words_for,
        detail_lines=detail_lines,
        visible=visible,
    )
