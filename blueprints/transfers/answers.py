"""Responses to forms that are refused."""

from __future__ import annotations

from typing import Any

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.errors import answer
from blueprints.forms_base import BaseForm
from blueprints.htmx import is_htmx, placed
from blueprints.transfers.forms import first_error
from services.core.errors import RefusedError

PROBLEMS = "#picker-problems"


def refused(form: BaseForm) -> Response:
    """For a form on a page: an error message."""
    title, next_step = "Check your selection", "Go back and try again."
    return answer(RefusedError(first_error(form), code="invalid", title=title, next_step=next_step), 422)


def refused_in_picker(form: BaseForm, **pieces: Any) -> Response:
    """For a form in a pop-up: the errors, inside the pop-up, which keeps its selection.

    `pieces` are for the parts that are redrawn with it.
    """
    if not is_htmx():
        return refused(form)
    return placed(render_template("transfers/_picker_problems.html", form=form, **pieces), 422, PROBLEMS)
