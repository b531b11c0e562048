"""The blueprint, defined apart from its route modules so that each can import it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("integrations", __name__, url_prefix="/admin/integrations/imanage")
