"""What the room's forms answer where they cannot be taken."""

from __future__ import annotations

from werkzeug.wrappers import Response

from blueprints.errors import ErrorView, answer
from blueprints.forms_base import BaseForm
from blueprints.transfers.forms import first_error


def refused(form: BaseForm) -> Response:
    """Pickers send these forms; what is wrong is said over the pop-up, where all that was chosen stays."""
    view = ErrorView("invalid", "Check what you chose", first_error(form), "Choose again.", "you")
    return answer(view, 422)
