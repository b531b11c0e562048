"""The room's blueprint, apart from its routes so that each file of routes can hang on it."""

from __future__ import annotations

from flask import Blueprint

room = Blueprint("auth", __name__)
