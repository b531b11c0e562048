"""Inviting somebody by a link, the list of open invitations, and ending or renewing one."""

from __future__ import annotations

import uuid

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.members import bp
from blueprints.members.answers import popup
from blueprints.members.forms import InviteForm
from services.core.errors import InvalidError
from services.mail import server_state
from services.members import invitations


@bp.get("/invitations")
@needs("admin")
def open_invitations() -> str:
    found = invitations.open_invitations(actor())
    return render_template(
        "members/invitations.html",
        found=found,
        most=invitations.MAX_LISTED,
        mail_failing=server_state.failing(),
    )


@bp.get("/invitations/new")
@needs("admin")
def new_invitation() -> Response:
    return _answer(InviteForm())


@bp.post("/invitations/new")
@needs("admin")
def invite() -> Response:
    form = InviteForm()
    if form.validate():
        try:
            return _link(invitations.invite(actor(), form.command()))
        except InvalidError as refusal:
            form.add_errors(refusal)
    else:
        form.add_errors(InvalidError(invitations.problems(form.command())), keep_own=True)
    return _answer(form, 422)


@bp.post("/invitations/<uuid:invitation_id>/link")
@needs("admin")
def renew_invitation(invitation_id: uuid.UUID) -> Response:
    return _link(invitations.renew(actor(), invitation_id))


@bp.post("/invitations/<uuid:invitation_id>/withdraw")
@needs("admin")
def withdraw_invitation(invitation_id: uuid.UUID) -> Response:
    email = invitations.withdraw(actor(), invitation_id)
    flash(f"The invitation of {email} is withdrawn. Its link opens nothing any more.", "success")
    return go_to(url_for(".open_invitations"))


def _answer(form: InviteForm, status: int = 200) -> Response:
    return popup("invite", "Invite", status, form=form, sends_mail=server_state.is_set_up())


def _link(invited: invitations.NewLink) -> Response:
    """The one time that a link is shown: in the answer itself, in no cookie and at no address."""
    return popup("invited", f"Link for {invited.email}", invited=invited, url=url_for(".open_invitations"))
