"""The members room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("members", __name__)


@room.get("/_members")
@needs("member")
def index() -> str:
    return ""
