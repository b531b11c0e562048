"""The room itself, so that each of its files can hang its routes there."""

from __future__ import annotations

from flask import Blueprint

room = Blueprint("oauth", __name__)
