"""Admin System > Members: adding and editing a member, their page, deactivating, and resetting a password."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.members import bp, import_export, invitations, listing, orphaned_matters
from blueprints.members.answers import popup
from blueprints.members.forms import AddMemberForm, DetailsForm
from services.auth import passwords
from services.core.errors import InvalidError
from services.directory import people
from services.members import account, editing, offboarding

__all__ = ["bp", "import_export", "invitations", "listing", "orphaned_matters"]


@bp.get("/new")
@needs("admin")
def new_member() -> Response:
    return add_answer(AddMemberForm())


@bp.post("/new")
@needs("admin")
def add_member() -> Response:
    form = AddMemberForm()
    if form.validate():
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
    else:
        form.add_errors(InvalidError(people.problems(form.command(), generates_password=True)), keep_own=True)
    return add_answer(form, 422)


@bp.get("/<uuid:member_id>")
@needs("admin")
def member(member_id: uuid.UUID) -> str:
    view = people.member(actor(), member_id)
    return render_template(
        "members/member.html", member=view, refusal=offboarding.refusal(actor(), member_id)
    )


@bp.get("/<uuid:member_id>/edit")
@needs("admin")
def edit_member(member_id: uuid.UUID) -> Response:
    view = people.member(actor(), member_id)
    return edit_answer(view, DetailsForm(formdata=None, obj=view))


@bp.post("/<uuid:member_id>/edit")
@needs("admin")
def change_member(member_id: uuid.UUID) -> Response:
    form = DetailsForm(formdata=request.form)
    if form.validate():
        try:
            editing.change(actor(), member_id, form.details())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash(f"Changes to {form.name.data} saved.", "success")
            return go_to(url_for(".member", member_id=member_id))
    else:
        form.add_errors(InvalidError(editing.problems(actor(), member_id, form.details())), keep_own=True)
    return edit_answer(people.member(actor(), member_id), form, 422)


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


def add_answer(form: AddMemberForm, status: int = 200) -> Response:
    return popup("add", "Add member", status, form=form, shortest=passwords.SHORTEST)


def edit_answer(view: people.MemberView, form: DetailsForm, status: int = 200) -> Response:
    return popup("edit", f"Edit {view.name}", status, member=view, form=form)


def password_answer(name: str, password: str, url: str) -> Response:
    """The only time that a generated password is shown: in this response, not at an address of its own."""
    return popup("password", f"Password of {name}", name=name, password=password, url=url)
