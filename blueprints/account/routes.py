"""A person's own account: who they are here, their password, and their sign-ins to iManage."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from werkzeug.wrappers import Response

from blueprints.access import actor, needs
from blueprints.account.forms import PasswordForm
from blueprints.htmx import fragment, go_to
from services import accounts, connections, passwords
from services.errors import Invalid, TooMany

room = Blueprint("account", __name__, url_prefix="/account")


@room.get("")
@needs("member")
def index() -> Response:
    return page(PasswordForm())


@room.post("/password")
@needs("member")
def change_password() -> Response:
    form = PasswordForm()
    if not form.validate():
        return page(form, 422)
    try:
        accounts.change_password(actor(), form.current.data, form.new.data)
    except Invalid as refusal:
        form.take(refusal)
        return page(form, 422)
    except TooMany as refusal:
        form.take(Invalid({"": refusal.sentence}))
        return page(form, 429)
    flash("Your password is changed. You are signed out everywhere else.", "success")
    return go_to(url_for(".index"))


def page(form: PasswordForm, status: int = 200) -> Response:
    html = render_template(
        "account/index.html",
        form=form,
        shortest=passwords.SHORTEST,
        accounts=connections.of_member(actor()),
    )
    return fragment(html, status)
