"""The Account page: password, emails and sign-ins to iManage."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from blueprints.account.forms import PasswordForm
from blueprints.authorization import actor, needs
from blueprints.forms_base import switched_on
from blueprints.htmx import fragment, go_to, is_htmx
from services.auth import passwords
from services.connections import accounts
from services.core.errors import InvalidError, TooManyError
from services.mail import server_state
from services.members import account

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
@needs("member")
def index() -> Response:
    return page(PasswordForm())


@bp.post("/password")
@needs("member")
def change_password() -> Response:
    form = PasswordForm()
    is_whole = form.validate()
    try:
        if not is_whole:
            raise InvalidError(account.password_faults(actor(), form.current.data or "", form.new.data or ""))
        account.change_password(actor(), form.current.data, form.new.data)
    except InvalidError as refusal:
        form.add_errors(refusal, keep_own=True)
        return page(form, 422)
    except TooManyError as refusal:
        form.add_errors(InvalidError({"": refusal.sentence}))
        return page(form, 429)
    flash("Your password has been changed. You are signed out on all other devices.", "success")
    return go_to(url_for(".index"))


@bp.post("/mail")
@needs("staff")
def set_mail() -> Response:
    wanted = switched_on("mail")
    account.set_wants_mail(actor(), wanted)
    if is_htmx():
        return fragment(render_template("account/_mail.html", wants_mail=wanted))
    return go_to(url_for(".index"))


@bp.post("/health-mail")
@needs("admin")
def set_health_mail() -> Response:
    wanted = switched_on("health_mail")
    account.set_wants_health_mail(actor(), wanted)
    if is_htmx():
        return fragment(render_template("account/_health_mail.html", wants_health_mail=wanted))
    return go_to(url_for(".index"))


def page(form: PasswordForm, status: int = 200) -> Response:
    html = render_template(
        "account/index.html",
        form=form,
        shortest=passwords.SHORTEST,
        accounts=accounts.of_member(actor()),
        wants_mail=account.wants_mail(actor()),
        wants_health_mail=account.wants_health_mail(actor()),
        sends_mail=server_state.is_set_up(),
    )
    return fragment(html, status)
