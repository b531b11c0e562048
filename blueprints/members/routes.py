"""Admin System > Members: adding and editing a member, their page, deactivating, and resetting a password."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.members import bp, import_export, invitations, listing, orphaned_matters, popup
from blueprints.members.forms import AddMemberForm, DetailsForm
from services.auth import passwords
from services.core.errors import InvalidError
from services.directory import people
from services.members import account, editing, offboarding

__all__ = ["bp", "import_export", "invitations", "listing", "orphaned_matters"]


@bp.route("/new", methods=["GET", "POST"])
@needs("admin")
def add_member() -> Response:
    form = AddMemberForm()
    if form.validate_on_submit():
        try:
            added = people.add(actor(), form.command())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash(f"{added.name} added.", "success")
            url = url_for(".member", member_id=added.id)
            if added.generated_password:
                return password_answer(added.name, added.generated_password, url)
            return go_to(url)
    elif form.is_submitted():
        form.add_errors(InvalidError(people.problems(form.command(), generates_password=True)), keep_own=True)
    return popup("add", "Add member", form=form, shortest=passwords.SHORTEST)


@bp.get("/<uuid:member_id>")
@needs("admin")
def member(member_id: uuid.UUID) -> str:
    view = people.member(actor(), member_id)
    return render_template(
        "members/member.html", member=view, refusal=offboarding.refusal(actor(), member_id)
    )


@bp.route("/<uuid:member_id>/edit", methods=["GET", "POST"])
@needs("admin")
def edit_member(member_id: uuid.UUID) -> Response:
    view = people.member(actor(), member_id)
    form = DetailsForm(request.form if request.method == "POST" else None, obj=view)
    if form.validate_on_submit():
        try:
            editing.change(actor(), member_id, form.details())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash(f"Changes to {form.name.data} saved.", "success")
            return go_to(url_for(".member", member_id=member_id))
    elif form.is_submitted():
        form.add_errors(InvalidError(editing.problems(actor(), member_id, form.details())), keep_own=True)
    return popup("edit", f"Edit {view.name}", member=view, form=form)


@bp.get("/<uuid:member_id>/deactivate")
@needs("admin")
def confirm_deactivation(member_id: uuid.UUID) -> Response:
    view = people.member(actor(), member_id)
    ends = offboarding.consequences(actor(), member_id)
    return popup("deactivate", f"Deactivate {view.name}", member=view, ends=ends)


@bp.post("/<uuid:member_id>/deactivate")
@needs("admin")
def deactivate(member_id: uuid.UUID) -> Response:
    offboarding.deactivate(actor(), member_id)
    name = people.member(actor(), member_id).name
    flash(f"{name} deactivated and signed out everywhere.", "success")
    return go_to(url_for(".member", member_id=member_id))


@bp.post("/<uuid:member_id>/reactivate")
@needs("admin")
def reactivate(member_id: uuid.UUID) -> Response:
    offboarding.reactivate(actor(), member_id)
    name = people.member(actor(), member_id).name
    flash(f"{name} reactivated. Add them to the matters that they need.", "success")
    return go_to(url_for(".member", member_id=member_id))


@bp.get("/<uuid:member_id>/password")
@needs("admin")
def confirm_new_password(member_id: uuid.UUID) -> Response:
    view = people.member(actor(), member_id)
    return popup("reset", f"Reset password of {view.name}", member=view)


@bp.post("/<uuid:member_id>/password")
@needs("admin")
def reset_password(member_id: uuid.UUID) -> Response:
    password = account.reset_password(actor(), member_id)
    view = people.member(actor(), member_id)
    return password_answer(view.name, password, url_for(".member", member_id=member_id))


def password_answer(name: str, password: str, url: str) -> Response:
    """The only time that a generated password is shown: in this response, not at an address of its own."""
    return popup("password", f"Password of {name}", name=name, password=password, url=url)
