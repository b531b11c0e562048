"""Guests of a matter: invited, sent a new link, and until when they have access."""

from __future__ import annotations

import uuid

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.matters import bp, popup
from blueprints.matters.forms import GuestForm, UntilForm
from services.access import permissions
from services.core.errors import InvalidError
from services.mail import server_state
from services.matters import end_dates, matters, participants
from services.matters.participants import end_of
from services.members import guests
from services.members.invitations import NewLink


@bp.route("/matters/<uuid:matter_id>/people/invite", methods=["GET", "POST"])
@needs("staff")
def invite_guest(matter_id: uuid.UUID) -> ResponseReturnValue:
    view = matters.find(actor(), matter_id)
    permissions.require_manage_people(actor(), matter_id)
    form, known = GuestForm(), None
    if form.validate_on_submit():
        try:
            return _invited(matter_id, guests.invite(actor(), matter_id, form.command()))
        except guests.KnownPersonError as refusal:
            known = refusal.person
        except InvalidError as refusal:
            form.add_errors(refusal)
    return popup(
        "Invite guest",
        "matters/_known_person.html" if known else "matters/_invite_form.html",
        _people(matter_id),
        form=form,
        matter=view,
        known=known,
        organisations=guests.organisations(actor(), matter_id),
        sends_mail=server_state.is_set_up(),
    )


@bp.post("/matters/<uuid:matter_id>/people/<uuid:member_id>/invite")
@needs("staff")
def invite_again(matter_id: uuid.UUID, member_id: uuid.UUID) -> ResponseReturnValue:
    return _invited(matter_id, guests.invite_again(actor(), matter_id, member_id))


@bp.route("/matters/<uuid:matter_id>/people/<uuid:member_id>/access", methods=["GET", "POST"])
@needs("staff")
def change_access(matter_id: uuid.UUID, member_id: uuid.UUID) -> ResponseReturnValue:
    person = participants.person(actor(), matter_id, member_id)
    form = UntilForm(until=None if person.is_over else person.last_day)
    if form.validate_on_submit():
        try:
            if request.form.get("end") == "1":
                name = end_dates.end_now(actor(), matter_id, member_id)
                flash(f"{name} no longer has access to this matter.", "success")
            else:
                name = end_dates.change(actor(), matter_id, member_id, end_of(form.until.data))
                flash(f"The access of {name} has been changed.", "success")
            return go_to(_people(matter_id))
        except InvalidError as refusal:
            form.add_errors(refusal)
    back = _people(matter_id)
    return popup(
        f"Access of {person.name}",
        "matters/_access_form.html",
        back,
        form=form,
        person=person,
        matter_id=matter_id,
        sends_mail=server_state.is_set_up(),
    )


def _invited(matter_id: uuid.UUID, invited: NewLink) -> ResponseReturnValue:
    """The link is shown in this response only, and only where no email carries it."""
    if invited.link:
        back = _people(matter_id)
        return popup(f"Link for {invited.email}", "members/_invited.html", back, invited=invited, url=back)
    flash(f"The invitation to {invited.email} is being sent.", "success")
    if invited.mail_waits:
        flash(f"The email has not been sent yet: {invited.mail_waits}", "warning")
    return go_to(_people(matter_id))


def _people(matter_id: uuid.UUID) -> str:
    return url_for("matters.people", matter_id=matter_id)
