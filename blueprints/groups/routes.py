"""Admin System > Groups: the list, a group's page, and who is in it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints import dialogs
from blueprints.authorization import actor, needs
from blueprints.downloads import csv_attachment
from blueprints.groups.forms import GroupForm
from blueprints.htmx import go_to, is_htmx
from blueprints.query_params import page_number, search_text
from services.core.errors import InvalidError
from services.members import groups
from services.servers import access_loss, bulk_add

bp = Blueprint("groups", __name__, url_prefix="/admin/groups")


@bp.get("")
@needs("admin")
def index() -> str:
    return render_template("groups/index.html", groups=groups.all_groups(actor()))


@bp.route("/new", methods=["GET", "POST"])
@needs("admin")
def new_group() -> Response:
    form = GroupForm()
    if form.validate_on_submit():
        try:
            group_id = groups.create(actor(), form.name.data)
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash(f"Group “{form.name.data}” created. Now add its members.", "success")
            return go_to(url_for(".group", group_id=group_id))
    return _popup("name", "New group", form=form, group=None)


@bp.get("/<uuid:group_id>")
@needs("admin")
def group(group_id: uuid.UUID) -> str:
    return _page(group_id)


@bp.get("/<uuid:group_id>/search")
@needs("admin")
def search_people(group_id: uuid.UUID) -> str:
    """People who can be added to the group; htmx gets only the results."""
    query = search_text().strip()
    found = groups.find_people(actor(), group_id, query)
    if not is_htmx():
        return _page(group_id, q=query, found=found)
    add = url_for(".add_person", group_id=group_id)
    return render_template(
        "groups/_found.html", q=query, found=found, add=add, name="member", target="#found"
    )


@bp.post("/<uuid:group_id>/members")
@needs("admin")
def add_person(group_id: uuid.UUID) -> Response:
    member_id = request.form.get("member", type=uuid.UUID)
    added = groups.add(actor(), group_id, [member_id] if member_id else [])
    flash("Member added." if added else "Nobody was added.", "success" if added else "info")
    return go_to(url_for(".group", group_id=group_id))


@bp.post("/<uuid:group_id>/pasted")
@needs("admin")
def paste_people(group_id: uuid.UUID) -> str:
    """Add the people of a pasted list who can be in the group; list the others with the reason."""
    inside = groups.member_ids(actor(), group_id)
    pasted = bulk_add.match(actor(), request.form.get("pasted", ""), inside)
    groups.add(actor(), group_id, pasted.ids)
    return _page(group_id, pasted=pasted)


@bp.post("/<uuid:group_id>/members/<uuid:member_id>/remove")
@needs("admin")
def remove_person(group_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Removes the member at once, unless they would lose access to a server: then a pop-up asks for confirmation."""
    view = groups.group(actor(), group_id)
    try:
        losses = access_loss.by_leaving(actor(), group_id, member_id)
        access_loss.require_no_loss(losses, is_sure=request.form.get("sure") == "1")
    except access_loss.WouldLoseAccessError as told:
        title = f"Remove from {view.name}?"
        answer = _popup("losing", title, dialogs.CONFIRM, group=view, member_id=member_id, losses=told.losses)
        return dialogs.confirmation(answer)
    ended = groups.remove(actor(), group_id, member_id)
    flash("Member removed.", "success")
    _flash_ended(ended)
    return go_to(url_for(".group", group_id=group_id))


@bp.route("/<uuid:group_id>/rename", methods=["GET", "POST"])
@needs("admin")
def rename_group(group_id: uuid.UUID) -> Response:
    view = groups.group(actor(), group_id)
    form = GroupForm(request.form if request.method == "POST" else None, name=view.name)
    if form.validate_on_submit():
        try:
            groups.rename(actor(), group_id, form.name.data)
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash("Group renamed.", "success")
            return go_to(url_for(".group", group_id=group_id))
    return _popup("name", f"Rename {view.name}", form=form, group=view)


@bp.get("/<uuid:group_id>/delete")
@needs("admin")
def confirm_deletion(group_id: uuid.UUID) -> Response:
    view = groups.group(actor(), group_id)
    losses = access_loss.by_leaving(actor(), group_id)
    return _popup("delete", f"Delete {view.name}?", group=view, losses=losses)


@bp.post("/<uuid:group_id>/delete")
@needs("admin")
def delete_group(group_id: uuid.UUID) -> Response:
    name = groups.group(actor(), group_id).name
    ended = groups.delete_group(actor(), group_id)
    flash(f"Group “{name}” deleted. Its members keep their accounts.", "success")
    _flash_ended(ended)
    return go_to(url_for(".index"))


@bp.get("/<uuid:group_id>/members.csv")
@needs("admin")
def members_csv(group_id: uuid.UUID) -> Response:
    name, text = groups.as_csv(actor(), group_id)
    return csv_attachment(text, f"Members of {name}.csv")


def _page(group_id: uuid.UUID, **more: object) -> str:
    context = {"q": "", "found": (), "pasted": None} | more
    return render_template(
        "groups/group.html", group=groups.group(actor(), group_id, page_number()), **context
    )


def _popup(part: str, title: str, status: int = 200, **context: Any) -> Response:
    return dialogs.popup(f"groups/_{part}.html", title, ("Groups", url_for(".index")), status, **context)


def _flash_ended(ended: int) -> None:
    if ended:
        flash(f"{ended} sign-in{'' if ended == 1 else 's'} to iManage ended.", "info")
