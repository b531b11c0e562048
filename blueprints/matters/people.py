"""The people of a matter: listed by organisation, searched, added, given another role, removed."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints import dialogs
from blueprints.authorization import actor, needs
from blueprints.htmx import go_to, is_htmx
from blueprints.matters import bp, popup
from blueprints.matters.forms import UntilForm
from blueprints.query_params import page_number, search_text
from services.access import roles
from services.core.errors import ConflictError, InvalidError
from services.core.sealed_query import seal
from services.directory.people import Person
from services.matters import leaving, matters, participants, undertakings

ROLE_NAMES = {"lead": "a lead", "editor": "an editor", "viewer": "a viewer"}


@bp.get("/matters/<uuid:matter_id>/people")
@needs("member")
def people(matter_id: uuid.UUID) -> ResponseReturnValue:
    view = matters.find(actor(), matter_id)
    return render_template(
        "matters/people.html",
        matter=view,
        found=participants.of_matter(actor(), matter_id, page_number()),
        candidates=_candidates(matter_id, search_text()) if view.may_manage_people else (),
        search=search_text(),
        undertaking=undertakings.in_force(actor(), matter_id),
        rules=roles.table(actor()),
    )


@bp.get("/matters/<uuid:matter_id>/people/search")
@needs("staff")
def search_people(matter_id: uuid.UUID) -> ResponseReturnValue:
    if not is_htmx():
        return go_to(url_for("matters.people", matter_id=matter_id, s=seal(search_text()) or None))
    view = matters.find(actor(), matter_id)
    candidates = _candidates(matter_id, search_text())
    return render_template(
        "matters/_candidates.html", matter=view, candidates=candidates, search=search_text()
    )


@bp.post("/matters/<uuid:matter_id>/people")
@needs("staff")
def add_person(matter_id: uuid.UUID) -> ResponseReturnValue:
    member_id = request.form.get("member", type=uuid.UUID) or uuid.UUID(int=0)
    form = UntilForm()
    if not form.validate():
        raise InvalidError({"until": " ".join(form.until.errors)})
    until = participants.end_of(form.until.data)
    name = participants.add(actor(), matter_id, member_id, request.form.get("role", ""), until)
    return _changed(matter_id, f"{name} has been added to this matter.")


@bp.post("/matters/<uuid:matter_id>/people/<uuid:member_id>/role")
@needs("staff")
def change_role(matter_id: uuid.UUID, member_id: uuid.UUID) -> ResponseReturnValue:
    role, is_sure = request.form.get("role", ""), request.form.get("sure") == "1"
    if not is_sure:
        loss = leaving.leaving(actor(), matter_id, member_id)
        if loss.needs_confirmation(role):
            return _ask_about_role(matter_id, loss, role)
    try:
        name = participants.change_role(actor(), matter_id, member_id, role)
    except (ConflictError, InvalidError) as refusal:
        if not is_htmx() or is_sure:
            raise
        # Redraw the list: the select already shows the refused role.
        return _changed(matter_id, refusal.text, "danger"), 422
    if is_sure:  # people who changed their own role may no longer see the whole page
        flash(f"{name} is now {ROLE_NAMES[role]}.", "success")
        return go_to(_page(matter_id))
    return _changed(matter_id, f"{name} is now {ROLE_NAMES[role]}.")


@bp.route("/matters/<uuid:matter_id>/people/<uuid:member_id>/remove", methods=["GET", "POST"])
@needs("staff")
def remove_person(matter_id: uuid.UUID, member_id: uuid.UUID) -> ResponseReturnValue:
    back = url_for("matters.people", matter_id=matter_id)
    if request.method == "GET":
        loss = leaving.leaving(actor(), matter_id, member_id)
        return popup("Remove from the matter", "matters/_remove_form.html", back, leaving=loss)
    name = participants.remove(actor(), matter_id, member_id)
    flash(f"{name} has been removed from this matter.", "success")
    return go_to(url_for("matters.index") if member_id == actor().id else back)


def _ask_about_role(matter_id: uuid.UUID, loss: leaving.Leaving, role: str) -> Response:
    """Ask for confirmation. The list behind the pop-up is redrawn because its select already shows the new role."""
    return dialogs.confirmation(
        dialogs.popup(
            "matters/_role_form.html",
            "Stop being a lead of this matter?"
            if loss.person.is_you and loss.person.role == "lead"
            else "Change role?",
            ("People", _page(matter_id)),
            dialogs.CONFIRM,
            leaving=loss,
            role=role,
            url=url_for(
                "matters.change_role", matter_id=matter_id, member_id=loss.person.id, page=_page_after_first()
            ),
            back=_page(matter_id),
            matter=matters.find(actor(), matter_id),
            found=participants.of_matter(actor(), matter_id, page_number()),
        )
    )


def _page(matter_id: uuid.UUID) -> str:
    return url_for("matters.people", matter_id=matter_id, page=_page_after_first())


def _page_after_first() -> int | None:
    """The page number, or None for the first page."""
    return page_number() if page_number() > 1 else None


def _candidates(matter_id: uuid.UUID, text: str) -> tuple[Person, ...]:
    return participants.search(actor(), matter_id, text)


def _changed(matter_id: uuid.UUID, sentence: str, tone: str = "success") -> str | Response:
    """The list redrawn; the search stays, so that another person can be added."""
    if not is_htmx():
        flash(sentence, tone)
        return go_to(url_for("matters.people", matter_id=matter_id))
    view = matters.find(actor(), matter_id)
    text = request.form.get("q", "")[:200] if view.may_manage_people else ""
    return render_template(
        "matters/_people_changed.html",
        matter=view,
        found=participants.of_matter(actor(), matter_id, page_number()),
        candidates=_candidates(matter_id, text) if text else (),
        search=text,
        sentence=sentence,
        tone=tone,
    )
