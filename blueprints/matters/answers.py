"""Answers that the room's routes share: a form as pop-up or page, and which page of a list was asked for."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from blueprints.htmx import is_htmx

LAST_PAGE = 100_000


def form_answer(title: str, inner: str, back: str, *, form: Any = None, **context: Any) -> tuple[str, int]:
    """A form: a pop-up for htmx, a page for a direct request. Status 422 where the form holds an error."""
    in_pop_up = is_htmx()
    template = "matters/_pop_up.html" if in_pop_up else "matters/form_page.html"
    refused = form is not None and (form.errors or form.form_errors)
    html = render_template(
        template, title=title, inner=inner, back=back, form=form, in_pop_up=in_pop_up, **context
    )
    return html, 422 if refused else 200


def page_number() -> int:
    asked = request.args.get("page", 1, type=int)
    return min(max(asked, 1), LAST_PAGE)


def search_text() -> str:
    return request.args.get("q", "")[:200]
