"""What guests see: hold and release, who can see a document, and the matter as a guest sees it."""

from __future__ import annotations

import uuid

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.matters import bp, popup
from services.access import permissions
from services.core.errors import InvalidError
from services.matters import audiences, exposure, viewing


@bp.route("/matters/<uuid:matter_id>/hold", methods=["GET", "POST"])
@needs("staff")
def hold(matter_id: uuid.UUID) -> ResponseReturnValue:
    if request.method == "GET":
        return _ask(matter_id, "hold", "Hold for members")
    count = exposure.hold(actor(), matter_id, _ids("version"))
    flash(
        f"{_versions(count)} held for members. Guests no longer see {'it' if count == 1 else 'them'}.",
        "success",
    )
    return go_to(_back(matter_id))


@bp.route("/matters/<uuid:matter_id>/release", methods=["GET", "POST"])
@needs("staff")
def release(matter_id: uuid.UUID) -> ResponseReturnValue:
    if request.method == "GET":
        return _ask(matter_id, "release", "Release")
    count = exposure.release(actor(), matter_id, _ids("version"), request.form.get("readers"))
    flash(f"{_versions(count)} released.", "success")
    return go_to(_back(matter_id))


@bp.route("/matters/<uuid:matter_id>/audience", methods=["GET", "POST"])
@needs("staff")
def audience(matter_id: uuid.UUID) -> ResponseReturnValue:
    """Who can see one or several documents."""
    permissions.require_control_exposure(actor(), matter_id)
    document_ids, problems = _ids("document"), {}
    if request.method == "POST":
        try:
            kind, seen = request.form.get("kind", ""), request.form.get("seen", "")
            audiences.change(actor(), matter_id, document_ids, kind, _ids("organisation"), seen=seen)
            flash("Who can see this has been changed.", "success")
            return go_to(_back(matter_id))
        except InvalidError as refusal:
            problems = refusal.fields
    chosen = audiences.common(actor(), document_ids)
    return popup(
        "Who can see this",
        "matters/_audience.html",
        _back(matter_id),
        status=422 if problems else 200,
        chosen=chosen,
        kind=request.form.get("kind", chosen.kind if chosen else ""),
        ticked=_ids("organisation") if problems else chosen.organisation_ids if chosen else (),
        choices=audiences.choices(actor(), matter_id, chosen),
        document_ids=document_ids,
        problems=problems,
    )


@bp.route("/matters/<uuid:matter_id>/view-as", methods=["GET", "POST"])
@needs("staff")
def view_as(matter_id: uuid.UUID) -> ResponseReturnValue:
    if request.method == "GET":
        permissions.require_view_as(actor(), matter_id)
        back = url_for(".people", matter_id=matter_id)
        return popup("View as", "matters/_view_as.html", back, choices=viewing.choices(actor(), matter_id))
    organisation_id = request.form.get("organisation", type=uuid.UUID)
    if organisation_id:
        viewing.start_as_organisation(actor(), matter_id, organisation_id)
    else:
        guest_id = request.form.get("guest", type=uuid.UUID) or uuid.UUID(int=0)
        viewing.start(actor(), matter_id, guest_id)
    return go_to(url_for(".matter", matter_id=matter_id))


@bp.post("/view-as/leave")
@needs("member")
def leave_view_as() -> ResponseReturnValue:
    matter_id = viewing.leave(actor())
    return go_to(url_for(".people", matter_id=matter_id) if matter_id else url_for(".index"))


def _ask(matter_id: uuid.UUID, change: exposure.Change, title: str) -> ResponseReturnValue:
    found = exposure.preview(
        actor(), matter_id, change, version_ids=_ids("version"), document_ids=_ids("document")
    )
    return popup(title, f"matters/_{change}.html", _back(matter_id), preview=found)


def _back(matter_id: uuid.UUID) -> str:
    """The page that it was asked from: a document's, else the matter's."""
    document_id = request.values.get("from", type=uuid.UUID)
    if document_id:
        return url_for(".document", document_id=document_id)
    return url_for(".matter", matter_id=matter_id)


def _ids(name: str) -> list[uuid.UUID]:
    return request.values.getlist(name, type=uuid.UUID)[: exposure.MOST]


def _versions(count: int) -> str:
    return "1 version" if count == 1 else f"{count} versions"
