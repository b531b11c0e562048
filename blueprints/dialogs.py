"""Forms in a pop-up for htmx, or on a page of their own without it."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.forms_base import BaseForm
from blueprints.htmx import fragment, is_htmx, retarget

CONFIRM = 422
"""The status of a request that needs confirmation: nothing was changed."""


def popup(
    part: str,
    title: str,
    crumb: tuple[str, str],
    status: int = 200,
    *,
    form: BaseForm | None = None,
    **context: object,
) -> Response:
    """`part` is the template inside; `crumb` is the label and URL of the page it belongs to.

    The template gets `in_popup` for `ui.form_end`. The status is 422 if the form has errors.
    """
    in_popup = is_htmx()
    html = render_template(
        "_popup.html" if in_popup else "popup_page.html",
        part=part,
        popup_title=title,
        crumb=crumb,
        in_popup=in_popup,
        form=form,
        **context,
    )
    return fragment(html, 422 if form is not None and form.errors else status)


def confirmation(response: Response) -> Response:
    """Show this response as the pop-up, whatever the request would have swapped."""
    return retarget(response, "#dialog")
