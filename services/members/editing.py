"""Changing what is on record of a member, and who is a System Admin."""

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
    """Why the System Admin right of this admin cannot be taken away by this person, None where it can."""
    if member_id == actor.id:
        return "You cannot take this from yourself. Ask another System Admin."
    if offboarding.is_last_admin(member_id):
        return "The last System Admin has to stay one."
    return None


def problems(actor: Actor, member_id: uuid.UUID, wanted: Details) -> dict[str, str]:
    """All that is wrong with new details, by field."""
    row = require_member(actor, member_id)
    details = replace(wanted, is_guest=row.is_guest).normalised()
    found = directory_details.taken(details, member_id) | directory_details.problems(details)
    if row.is_admin and not details.is_admin and (sentence := admin_refusal(actor, member_id)):
        found["is_admin"] = sentence
    return found


def change(actor: Actor, member_id: uuid.UUID, wanted: Details) -> None:
    """New details; whether somebody is a guest stays as it was, since everything they see hangs on it."""
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
