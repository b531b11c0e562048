"""The blueprint and its pop-ups, defined apart from the route modules so that each can import them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from blueprints import dialogs

bp = Blueprint("matters", __name__)


def popup(title: str, inner: str, back: str, *, status: int = 200, **context: Any) -> Response:
    return dialogs.popup(inner, title, ("Back", back), status, back=back, **context)
