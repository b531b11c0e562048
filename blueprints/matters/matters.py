"""Matters: the list, opening one, its page, its details."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to, is_htmx
from blueprints.matters import bp, popup
from blueprints.matters.forms import MatterForm
from blueprints.matters.quotas import notice_for
from blueprints.query_params import page_number, search_text, sort_name
from services.access import permissions, server_access
from services.access.server_access import ServerLabel
from services.drift import board
from services.matters import audiences, documents, matters, recycle_bin
from services.transfers import links

ARCHIVED = "archived"
MATTERS_FOUND = 5
_UUID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_GET = re.compile(f"get-{_UUID}(?:-{_UUID})?")
_SAVE = re.compile(f"save-{_UUID}-{_UUID}")


@bp.get("/matters")
@bp.get("/")
@needs("member")
def index() -> ResponseReturnValue:
    archived = request.args.get("show") == ARCHIVED
    found = matters.mine(actor(), search_text(), page_number(), archived=archived, sort=sort_name())
    return render_template(
        "matters/_list.html" if is_htmx() else "matters/index.html",
        found=found,
        show=ARCHIVED if archived else None,
        may_create=permissions.may_create_matters(actor()),
    )


@bp.route("/matters/new", methods=["GET", "POST"])
@needs("staff")
def new() -> ResponseReturnValue:
    form = MatterForm()
    if form.validate_on_submit():
        matter_id = matters.create(actor(), form.details())
        flash("The matter is open. You are its lead.", "success")
        return go_to(url_for("matters.matter", matter_id=matter_id))
    return popup("New matter", "matters/_matter_form.html", url_for("matters.index"), form=form)


@bp.get("/search")
@needs("member")
def search() -> ResponseReturnValue:
    """Documents of all matters, and the first matters, that match a search."""
    words = search_text()
    is_asked = bool(words.strip())
    return render_template(
        "matters/_found.html" if is_htmx() else "matters/search.html",
        words=words,
        matters=matters.mine(actor(), words).rows[:MATTERS_FOUND] if is_asked else (),
        found=documents.in_all_matters(actor(), words, page_number(), sort_name()) if is_asked else None,
    )


@bp.post("/matters/<uuid:matter_id>/pin")
@needs("member")
def pin(matter_id: uuid.UUID) -> Response:
    matters.pin(actor(), matter_id, is_pinned=request.form.get("pinned") == "1")
    return go_to(url_for("matters.index"))


@bp.get("/matters/<uuid:matter_id>")
@needs("member")
def matter(matter_id: uuid.UUID) -> ResponseReturnValue:
    """The matter's page, or for htmx its documents only."""
    view = matters.find(actor(), matter_id)
    state = request.args.get("state", "") if view.may_see_twins else ""
    among = board.documents_in(actor(), matter_id, state) if state else None
    found = documents.of_matter(actor(), matter_id, search_text(), page_number(), among, sort_name())
    usable = server_access.available_to(actor())
    servers = usable if view.may_transfer else ()
    twins = links.for_documents(actor(), [row.id for row in found.rows], usable)
    return render_template(
        "matters/_documents_changed.html" if is_htmx() else "matters/matter.html",
        matter=view,
        found=found,
        twins=twins,
        state=state if among is not None else "",
        audiences=audiences.of_documents(actor(), [row.id for row in found.rows]),
        servers=servers,
        quota=notice_for(matter_id, view.may_change_documents),
        pop_up=_dialog_to_open(matter_id, servers),
    )


@bp.route("/matters/<uuid:matter_id>/rename", methods=["GET", "POST"])
@needs("staff")
def rename(matter_id: uuid.UUID) -> ResponseReturnValue:
    view = matters.find(actor(), matter_id)
    permissions.require_change_matter(actor(), matter_id)
    form = MatterForm(obj=view)
    back = url_for("matters.matter", matter_id=matter_id)
    if form.validate_on_submit():
        matters.rename(actor(), matter_id, form.details())
        flash("The matter’s details have been changed.", "success")
        return go_to(back)
    return popup("Change details", "matters/_matter_form.html", back, form=form, matter=view)


@bp.get("/matters/<uuid:matter_id>/menu")
@needs("staff")
def matter_menu(matter_id: uuid.UUID) -> ResponseReturnValue:
    """The items of the menu *More*, loaded when it opens."""
    return render_template("matters/_matter_menu.html", matter=matters.find(actor(), matter_id))


@bp.route("/matters/<uuid:matter_id>/archive", methods=["GET", "POST"])
@needs("staff")
def archive(matter_id: uuid.UUID) -> ResponseReturnValue:
    back = url_for("matters.matter", matter_id=matter_id)
    if request.method == "POST":
        name = matters.archive(actor(), matter_id)
        flash(f"{name} is archived. It can be read, but not changed.", "success")
        return go_to(back)
    view = matters.find(actor(), matter_id)
    permissions.require_lead(actor(), matter_id)
    transfers = recycle_bin.live_transfers(matter_id)
    return popup("Archive", "matters/_archive_form.html", back, matter=view, transfers=transfers)


@bp.post("/matters/<uuid:matter_id>/reactivate")
@needs("staff")
def reactivate(matter_id: uuid.UUID) -> Response:
    name = matters.reactivate(actor(), matter_id)
    flash(f"{name} is open again.", "success")
    return go_to(url_for("matters.matter", matter_id=matter_id))


def _dialog_to_open(matter_id: uuid.UUID, servers: Iterable[ServerLabel]) -> str:
    """The URL of the pop-up that `?open=…` names after a sign-in; empty for a server that this person cannot use."""
    asked = request.args.get("open", "")
    usable = {str(server.id) for server in servers}
    if (match := _GET.fullmatch(asked)) and match[1] in usable:
        return url_for("transfers.get_picker", matter_id=matter_id, server_id=match[1], document=match[2])
    if (match := _SAVE.fullmatch(asked)) and match[2] in usable:
        return url_for("transfers.save_picker", document_id=match[1], server_id=match[2])
    return ""
