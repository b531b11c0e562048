"""The matters room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("matters", __name__)


@room.get("/")
@needs("member")
def index() -> str:
    return ""
