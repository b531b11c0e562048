"""The banner of the Admin System while iManage has an earlier redirect URL."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from blueprints.authorization import actor
from blueprints.htmx import is_htmx
from blueprints.integrations import bp
from services.servers import redirect_urls

ADMIN = "/admin/"


@bp.app_context_processor
def redirect_change() -> dict[str, redirect_urls.RedirectChange | None]:
    """For full pages of System Admins."""
    if not request.path.startswith(ADMIN) or is_htmx() or not current_user.is_authenticated:
        return {"redirect_change": None}
    if not current_user.is_admin:
        return {"redirect_change": None}
    return {"redirect_change": redirect_urls.change(actor())}
