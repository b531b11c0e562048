"""Responses to forms that are refused."""

from __future__ import annotations

from typing import Any

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.errors import ErrorView, answer
from blueprints.forms_base import BaseForm
from blueprints.htmx import is_htmx, placed
from blueprints.transfers.forms import first_error

PROBLEMS = "#picker-problems"


def refused(form: BaseForm) -> Response:
    """For a form on a page: an error message."""
    view = ErrorView("invalid", "Check your selection", first_error(form), "Go back and try again.", "you")
    return answer(view, 422)


def refused_in_picker(form: BaseForm, **pieces: Any) -> Response:
    """For a form in a pop-up: the errors, inside the pop-up, which keeps its selection.

    `pieces` are for the parts that are redrawn with it.
    """
    if not is_htmx():
        return refused(form)
    return placed(render_template("transfers/_picker_problems.html", form=form, **pieces), 422, PROBLEMS)
