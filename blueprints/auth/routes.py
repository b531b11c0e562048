"""The auth room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("auth", __name__)


@room.get("/_auth")
@needs("member")
def index() -> str:
    return ""
