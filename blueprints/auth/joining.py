"""The link of an invitation: choose a name and a password, once. An ended link says why."""

from __future__ import annotations

from flask import flash, render_template
from werkzeug.wrappers import Response

from blueprints.auth import bp
from blueprints.auth.forms import JoinForm
from blueprints.auth.sessions import begin_session
from blueprints.authorization import needs, nobody
from blueprints.htmx import fragment, go_to
from services.auth import passwords
from services.core.errors import InvalidError
from services.members import invitations


@bp.get("/join/<token>")
@needs("public")
def join(token: str) -> Response:
    try:
        invited = invitations.by_token(token)
    except invitations.InvitationEndedError as over:
        return _over(over)
    return _answer(invited, JoinForm(formdata=None, name=invited.name), token)


@bp.post("/join/<token>")
@needs("public")
def join_now(token: str) -> Response:
    form = JoinForm()
    try:
        invited = invitations.by_token(token)
        if not form.validate():
            name, password = form.name.data or "", form.password.data or ""
            form.add_errors(InvalidError(invitations.problems_joining(token, name, password)), keep_own=True)
            return _answer(invited, form, token, 422)
        session = invitations.accept(nobody(), token, form.name.data, form.password.data)
    except invitations.InvitationEndedError as over:
        return _over(over)
    except InvalidError as refusal:
        form.add_errors(refusal)
        return _answer(invited, form, token, 422)
    begin_session(session)
    flash("Welcome to Counterpart. Your matters appear here when you are added to them.", "success")
    return go_to("/")


def _answer(invited: invitations.InvitationView, form: JoinForm, token: str, status: int = 200) -> Response:
    shown = {"invited": invited, "form": form, "token": token, "shortest": passwords.SHORTEST}
    return fragment(render_template("auth/join.html", **shown), status)


def _over(over: invitations.InvitationEndedError) -> Response:
    status = 404 if over.code == "invitation.unknown" else 410
    return fragment(render_template("auth/join_over.html", over=over), status)
