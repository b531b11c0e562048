"""The blueprint and its pop-ups, defined apart from the route modules so that each can import them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from blueprints import dialogs

bp = Blueprint("members", __name__, url_prefix="/admin/members")


def popup(part: str, title: str, status: int = 200, **context: Any) -> Response:
    crumb = ("Members", url_for("members.index"))
    return dialogs.popup(f"members/_{part}.html", title, crumb, status, **context)
