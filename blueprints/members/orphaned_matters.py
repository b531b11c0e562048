"""Matters without a lead: the list, searching for a new lead, and appointing them."""

from __future__ import annotations

import uuid

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import go_to
from blueprints.members import bp, popup
from blueprints.query_params import search_text
from services.members import orphaned_matters


@bp.get("/leads")
@needs("admin")
def without_a_lead() -> str:
    found = orphaned_matters.matters(actor())
    return render_template("members/leads.html", found=found, most=orphaned_matters.MAX_LISTED)


@bp.get("/leads/<uuid:matter_id>")
@needs("admin")
def choose_lead(matter_id: uuid.UUID) -> ResponseReturnValue:
    name, text = orphaned_matters.name_of(actor(), matter_id), search_text()
    people = orphaned_matters.candidates(actor(), matter_id, text)
    return popup("lead", f"Lead of {name}", matter_id=matter_id, people=people, text=text)


@bp.get("/leads/<uuid:matter_id>/search")
@needs("admin")
def search_lead(matter_id: uuid.UUID) -> str:
    text = search_text()
    people = orphaned_matters.candidates(actor(), matter_id, text)
    return render_template("members/_lead_found.html", matter_id=matter_id, people=people, text=text)


@bp.post("/leads/<uuid:matter_id>/<uuid:member_id>")
@needs("admin")
def appoint_lead(matter_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    matter_name = orphaned_matters.name_of(actor(), matter_id)
    name = orphaned_matters.appoint(actor(), matter_id, member_id)
    flash(f"{name} is now the lead of {matter_name}.", "success")
    return go_to(url_for(".without_a_lead"))
