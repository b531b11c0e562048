"""What the room's forms answer where they cannot be taken."""

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
    """A form of a page, which has no place of its own for what is wrong."""
    view = ErrorView("invalid", "Check your selection", first_error(form), "Go back and try again.", "you")
    return answer(view, 422)


def refused_in_picker(form: BaseForm, **pieces: Any) -> Response:
    """What is wrong with a form of a pop-up stands in the pop-up, where all that was chosen stays.

    `pieces` are for the parts that are drawn anew beside it.
    """
    if not is_htmx():
        return refused(form)
    return placed(render_template("transfers/_picker_problems.html", form=form, **pieces), 422, PROBLEMS)
