"""How this room answers: a pop-up for htmx, a page of its own for everybody else."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.htmx import fragment, is_htmx


def popup(part: str, title: str, status: int = 200, **context: object) -> Response:
    holder = "members/_popup.html" if is_htmx() else "members/popup_page.html"
    html = render_template(holder, part=f"members/_{part}.html", popup_title=title, **context)
    return fragment(html, status)
