"""The transfers room."""

from __future__ import annotations

from flask import Blueprint

from blueprints.access import needs

room = Blueprint("transfers", __name__)


@room.get("/_transfers")
@needs("member")
def index() -> str:
    return ""
