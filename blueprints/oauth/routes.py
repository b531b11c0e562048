"""The oauth room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("oauth", __name__)


@room.get("/_oauth")
@needs("member")
def index() -> str:
    return ""
