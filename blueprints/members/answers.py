"""The pop-up with a form about members."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response

from blueprints import dialogs


def popup(part: str, title: str, status: int = 200, **context: object) -> Response:
    return dialogs.popup(
        f"members/_{part}.html", title, ("Members", url_for("members.index")), status, **context
    )
