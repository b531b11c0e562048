"""The Drift tab of a matter: documents that are not in step with iManage, their links, and the checks."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("drift", __name__)
