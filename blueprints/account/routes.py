"""The account room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("account", __name__)


@room.get("/_account")
@needs("member")
def index() -> str:
    return ""
