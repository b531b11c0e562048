"""The status room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("status", __name__)


@room.get("/_status")
@needs("member")
def index() -> str:
    return ""
