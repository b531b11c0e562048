"""The audit room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("audit", __name__)


@room.get("/_audit")
@needs("member")
def index() -> str:
    return ""
