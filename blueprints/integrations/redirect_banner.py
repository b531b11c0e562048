"""The banner of the Admin System while iManage knows another redirect URL than ours."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from blueprints.authorization import actor
from blueprints.htmx import is_htmx
from blueprints.integrations import bp
from services.servers import redirect_urls

ADMIN = "/admin/"


@bp.app_context_processor
def moved() -> dict[str, redirect_urls.Moved | None]:
    """On whole pages of System Admins."""
    if not request.path.startswith(ADMIN) or is_htmx() or not current_user.is_authenticated:
        return {"moved": None}
    if not current_user.is_admin:
        return {"moved": None}
    return {"moved": redirect_urls.moved(actor())}
