"""Answers that the room's routes share: a form as pop-up or page, and which page of a list was asked for."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from blueprints.popups import popup

LAST_PAGE = 100_000


def form_answer(title: str, inner: str, back: str, *, form: Any = None, **context: Any) -> Response:
    """A form: a pop-up for htmx, a page for a direct request. Status 422 where the form holds an error."""
    status = 422 if form is not None and (form.errors or form.form_errors) else 200
    return popup(inner, title, ("Back", back), status, back=back, form=form, **context)


def page_number() -> int:
    asked = request.args.get("page", 1, type=int)
    return min(max(asked, 1), LAST_PAGE)


def search_text() -> str:
    return request.args.get("q", "")[:200]
