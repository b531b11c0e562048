"""The integrations room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("integrations", __name__)


@room.get("/_integrations")
@needs("member")
def index() -> str:
    return ""
