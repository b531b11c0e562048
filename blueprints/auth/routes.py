"""Signing in and out, and the first System Admin of an empty installation."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from blueprints.auth import bp, joining
from blueprints.auth.forms import SetUpForm, SignInForm
from blueprints.auth.sessions import begin_session, device_cookie
from blueprints.authorization import actor, forget_session, needs, nobody
from blueprints.ended_sessions import is_another_person
from blueprints.htmx import fragment, go_to
from services.auth import login, passwords
from services.core.errors import ConflictError, InvalidError, TooManyError
from services.core.text.local_redirects import local_path
from services.guidance.refusals import refusal
from services.mail.messages import time_of
from services.members import first_admin

__all__ = ["bp", "joining"]


@bp.get("/sign-in")
@needs("public")
def sign_in() -> Response:
    if current_user.is_authenticated:
        return redirect(after_sign_in())
    if first_admin.is_needed():
        return redirect(url_for(".set_up"))
    return sign_in_answer(SignInForm())


@bp.post("/sign-in")
@needs("public")
def sign_in_now() -> Response:
    form = SignInForm()
    if not form.validate():
        return sign_in_answer(form, 422)
    try:
        signed_in = login.sign_in(nobody(), form.email.data, form.password.data, device_cookie())
    except InvalidError as refusal:
        form.add_errors(refusal)
        return sign_in_answer(form, 422)
    except TooManyError as refusal:
        form.add_errors(InvalidError({"": refusal.sentence}))
        return sign_in_answer(form, 429)
    begin_session(signed_in.token)
    if signed_in.slowed_at:
        flash(
            f"There were failed sign-ins to your account on {time_of(signed_in.slowed_at)}. "
            "If this was not you, tell your System Admin.",
            "warning",
        )
    return go_to(after_sign_in())


@bp.post("/sign-out")
@needs("member")
def sign_out() -> Response:
    person = actor()
    token = forget_session()
    if token:
        login.sign_out(person, token)
    flash("You have signed out.", "success")
    return go_to(url_for(".sign_in"))


@bp.get("/session")
@needs("member")
def renew_page() -> Response:
    """The session's CSRF token in a header, for a page opened before its person signed in again."""
    if is_another_person():
        raise refusal(ConflictError, "session.another_person", name=actor().name)
    answer = fragment("", 204)
    answer.headers["X-CSRFToken"] = generate_csrf()
    return answer


@bp.get("/set-up")
@needs("public")
def set_up() -> Response:
    if not first_admin.is_needed():
        return redirect(url_for(".sign_in"))
    return set_up_answer(SetUpForm())


@bp.post("/set-up")
@needs("public")
def set_up_now() -> Response:
    form = SetUpForm()
    is_whole = form.validate()
    try:
        if not is_whole:
            raise InvalidError(first_admin.problems(nobody(), form.code.data or "", form.command()))
        token = first_admin.set_up(nobody(), form.code.data, form.command())
    except InvalidError as refusal:
        form.add_errors(refusal, keep_own=True)
        return set_up_answer(form, 422)
    except TooManyError as refusal:
        form.add_errors(InvalidError({"": refusal.sentence}))
        return set_up_answer(form, 429)
    begin_session(token)
    flash("Counterpart is set up. Next, connect iManage or create a matter.", "success")
    return go_to("/")


def after_sign_in() -> str:
    return local_path(request.args.get("next")) or "/"


def sign_in_answer(form: SignInForm, status: int = 200) -> Response:
    back = local_path(request.args.get("next"))
    return fragment(render_template("auth/sign_in.html", form=form, back=back), status)


def set_up_answer(form: SetUpForm, status: int = 200) -> Response:
    return fragment(render_template("auth/set_up.html", form=form, shortest=passwords.SHORTEST), status)
