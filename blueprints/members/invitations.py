"""Inviting people, the list of open invitations, and replacing or withdrawing one."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints import dialogs
from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.members import bp, popup
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


@bp.route("/invitations/new", methods=["GET", "POST"])
@needs("admin")
def invite() -> Response:
    form = InviteForm()
    if form.validate_on_submit():
        try:
            replaces = request.form.get("replace") == "1"
            return _link(invitations.invite(actor(), form.command(), replaces=replaces))
        except invitations.AlreadyInvitedError as refusal:
            return _answer(form, dialogs.CONFIRM, refusal.invitation)
        except InvalidError as refusal:
            form.add_errors(refusal)
    elif form.is_submitted():
        form.add_errors(InvalidError(invitations.problems(form.command())), keep_own=True)
    return _answer(form)


@bp.post("/invitations/<uuid:invitation_id>/link")
@needs("admin")
def renew_invitation(invitation_id: uuid.UUID) -> Response:
    return _link(invitations.renew(actor(), invitation_id))


@bp.post("/invitations/<uuid:invitation_id>/withdraw")
@needs("admin")
def withdraw_invitation(invitation_id: uuid.UUID) -> Response:
    email = invitations.withdraw(actor(), invitation_id)
    flash(f"The invitation to {email} was withdrawn. Its link no longer works.", "success")
    return go_to(url_for(".open_invitations"))


def _answer(
    form: InviteForm, status: int = 200, replaces: invitations.InvitationView | None = None
) -> Response:
    sends_mail = server_state.is_set_up()
    return popup("invite", "Invite", status, form=form, sends_mail=sends_mail, replaces=replaces)


def _link(invited: invitations.NewLink) -> Response:
    """The only time that a link is shown: in this response, not at an address of its own."""
    return popup("invited", f"Link for {invited.email}", invited=invited, url=url_for(".open_invitations"))
