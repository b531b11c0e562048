"""A form that every room shows alike: in a pop-up for htmx, on a page of its own for everybody else."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.htmx import fragment, is_htmx, retarget

CONFIRM = 422
"""The status of a question in place of an act: nothing was written yet."""


def popup(part: str, title: str, crumb: tuple[str, str], status: int = 200, **context: object) -> Response:
    """`part` is the template of what stands inside; `crumb` is the label and address of the page it belongs to.

    The part is told `in_popup`, for its `ui.form_end`.
    """
    in_popup = is_htmx()
    html = render_template(
        "_popup.html" if in_popup else "popup_page.html",
        part=part,
        popup_title=title,
        crumb=crumb,
        in_popup=in_popup,
        **context,
    )
    return fragment(html, status)


def confirmation(response: Response) -> Response:
    """The same pop-up, opened in the place of pop-ups whatever the request meant to redraw."""
    return retarget(response, "#dialog")
