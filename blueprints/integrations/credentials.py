"""Replacing a server's credentials: the pop-up, its outcome, and who must sign in again."""

from __future__ import annotations

import uuid
from contextlib import suppress

from flask import flash, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.integrations import bp
from blueprints.integrations.forms import CredentialsForm
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError, TooManyError
from services.diagnostics.report import Result
from services.monitoring import check_runs
from services.server_admin import credential_rotation
from services.servers import views as server_views

MOST_NAMES = 10


@bp.get("/<uuid:server_id>/credentials")
@needs("admin")
def new_credentials(server_id: uuid.UUID) -> Response:
    view = server_views.server(actor(), server_id)
    return _answer(view, CredentialsForm(formdata=None, version=view.version, client_id=view.client_id))


@bp.post("/<uuid:server_id>/credentials")
@needs("admin")
def replace_credentials(server_id: uuid.UUID) -> Response:
    form = CredentialsForm()
    problems: tuple[Result, ...] = ()
    if form.validate():
        try:
            replaced = credential_rotation.replace(actor(), server_id, form.command())
        except InvalidError as refusal:
            form.add_errors(refusal)
        except credential_rotation.UnprovenCredentialsError as unproven:
            problems = unproven.problems
        else:
            _flash(replaced)
            with suppress(TooManyError):
                check_runs.start(actor(), server_id)
            return go_to(url_for(".server", server_id=server_id))
    view = server_views.server(actor(), server_id)
    form.version.data = view.version
    return _answer(view, form, problems, 422)


def _answer(
    view: server_views.ServerView,
    form: CredentialsForm,
    problems: tuple[Result, ...] = (),
    status: int = 200,
) -> Response:
    return popup(
        "credentials",
        "Replace credentials" if view.has_credentials else "Enter credentials",
        status,
        form=form,
        server=view,
        problems=problems,
        signed_in=names_of(credential_rotation.signed_in(actor(), view.id)),
        must_be_typed=view.must_have_credentials,
    )


def _flash(replaced: credential_rotation.Replaced) -> None:
    if replaced.proven:
        flash(f"iManage accepts the new credentials of “{replaced.name}”. They are now in use.", "success")
    else:
        flash(
            f"The new credentials of “{replaced.name}” are now in use. They could not be confirmed.",
            "warning",
        )
    if replaced.signed_out:
        count = len(replaced.signed_out)
        people = "1 member" if count == 1 else f"{count} members"
        flash(
            f"The Client ID has changed, so {people} must sign in again: {names_of(replaced.signed_out)}. "
            "Running transfers wait until then.",
            "warning",
        )


def names_of(names: tuple[str, ...]) -> str:
    """The first MOST_NAMES, and how many more there are."""
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown
