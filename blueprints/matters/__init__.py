"""The room's blueprint, by itself so that its route files need not import one another."""

from __future__ import annotations

from flask import Blueprint

room = Blueprint("matters", __name__)
