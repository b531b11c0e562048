"""Changing the details of a member, and who is a System Admin."""

from __future__ import annotations

import uuid
from dataclasses import replace

from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import unit_of_work
from services.directory import details as directory_details
from services.directory.details import Details
from services.directory.people import require_member
from services.members import offboarding


def admin_refusal(actor: Actor, member_id: uuid.UUID) -> str | None:
    """Why this person cannot remove the System Admin right from this admin; None if they can."""
    if member_id == actor.id:
        return "You cannot remove this right from yourself. Ask another System Admin."
    if offboarding.is_last_admin(member_id):
        return "This is the last System Admin. Make someone else a System Admin first."
    return None


def problems(actor: Actor, member_id: uuid.UUID, wanted: Details) -> dict[str, str]:
    """Validation errors of new details, by field."""
    row = require_member(actor, member_id)
    details = replace(wanted, is_guest=row.is_guest).normalised()
    found = directory_details.email_taken(details, member_id) | directory_details.problems(details)
    if row.is_admin and not details.is_admin and (sentence := admin_refusal(actor, member_id)):
        found["is_admin"] = sentence
    return found


def change(actor: Actor, member_id: uuid.UUID, wanted: Details) -> None:
    """Save new details. Whether a member is a guest never changes, since all that they can see depends on it."""
    with unit_of_work():
        offboarding.lock_admins()
        row = require_member(actor, member_id)
        details = replace(wanted, is_guest=row.is_guest).normalised()
        if found := problems(actor, member_id, wanted):
            raise InvalidError(found)
        before = Details(row.name, row.email, row.organisation, row.is_admin, row.is_guest)
        if details == before:
            return
        directory_details.write(row, details)
        changes = [
            f"{name}: {getattr(before, name)} → {getattr(details, name)}"
            for name in ("name", "email", "organisation")
            if getattr(before, name) != getattr(details, name)
        ]
        if changes:
            audit.record(actor, "member.changed", details.name, subject_id=member_id, changes=changes)
        if details.is_admin != before.is_admin:
            action = "member.made_admin" if details.is_admin else "member.unmade_admin"
            audit.record(actor, action, details.name, subject_id=member_id)
