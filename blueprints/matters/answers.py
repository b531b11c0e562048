"""Responses that the routes share."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from blueprints.dialogs import popup


def form_answer(title: str, inner: str, back: str, *, form: Any = None, **context: Any) -> Response:
    """A form: a pop-up for htmx, a page otherwise. Status 422 if the form has errors."""
    status = 422 if form is not None and (form.errors or form.form_errors) else 200
    return popup(inner, title, ("Back", back), status, back=back, form=form, **context)
