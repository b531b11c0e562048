"""Responses to forms that are refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import render_template
from werkzeug.wrappers import Response

from blueprints.errors import answer
from blueprints.forms_base import BaseForm
from blueprints.htmx import fragment, go_to, is_htmx, placed
from blueprints.transfers.forms import first_error
from services.core.errors import RefusedError, SignInNeededError

PROBLEMS = "#picker-problems"
DIALOG = "#dialog"


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


def open_dialog(draw: Callable[[], str], server_id: uuid.UUID, back: str) -> Response:
    """The pop-up, rendered without asking iManage. Without htmx, a redirect to the page behind it."""
    if not is_htmx():
        return go_to(back)
    try:
        return fragment(draw())
    except SignInNeededError as needed:
        return fragment(_sign_in(needed, server_id, back))


def sign_in_first(needed: SignInNeededError, server_id: uuid.UUID, back: str) -> Response:
    """In the place of the pop-up: the sign-in, which returns to `back`."""
    return placed(_sign_in(needed, server_id, back), 409, DIALOG)


def _sign_in(needed: SignInNeededError, server_id: uuid.UUID, back: str) -> str:
    return render_template("transfers/_picker_sign_in.html", needed=needed, server_id=server_id, back=back)
