"""A person's account settings, and the password that a System Admin resets."""

from __future__ import annotations

import uuid

from models import Member
from services.access import permissions
from services.auth import login_throttle, passwords, sessions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.directory.people import require_member


def change_password(actor: Actor, current: str, new: str) -> None:
    """Set a new password and end the person's other sessions.

    Raises InvalidError, or TooManyError after too many wrong passwords.
    """
    if found := password_faults(actor, current, new):
        raise InvalidError(found)
    with unit_of_work() as writing:
        writing.get_one(Member, actor.id).password_hash = passwords.hash_of(new)
        sessions.end_all(actor.id, except_id=actor.session_id)
        audit.record(actor, "password.changed", subject_id=actor.id)


def password_faults(actor: Actor, current: str, new: str) -> dict[str, str]:
    """Validation errors by field; a wrong current password counts as an attempt. Raises TooManyError."""
    found = {}
    if current:
        attempt = login_throttle.register(login_throttle.member_limits(f"password {actor.id}"))
        member = session().get_one(Member, actor.id)
        if passwords.verify(member.password_hash, current):
            login_throttle.clear(attempt)
        else:
            with unit_of_work():
                audit.record(actor, "password.changed", subject_id=actor.id, outcome="failed")
            found["current"] = "This is not your current password."
    organisation = session().get_one(Member, actor.id).organisation
    if new and (
        sentence := passwords.problem(new, name=actor.name, email=actor.email, organisation=organisation)
    ):
        found["new"] = sentence
    elif new and new == current:
        found["new"] = "Choose a password that differs from your current one."
    return found


def wants_mail(actor: Actor) -> bool | None:
    """Whether this person gets emails about finished transfers; None if they cannot get any."""
    if actor.is_guest or not runtime().settings.smtp_url:
        return None
    return session().get_one(Member, actor.id).wants_mail


def set_wants_mail(actor: Actor, wanted: bool) -> None:
    """Turn emails about finished transfers on or off."""
    with unit_of_work() as writing:
        writing.get_one(Member, actor.id).wants_mail = wanted
        audit.record(
            actor, "member.mail_on" if wanted else "member.mail_off", actor.name, subject_id=actor.id
        )


def wants_health_mail(actor: Actor) -> bool | None:
    """Whether this System Admin gets emails about the servers' health; None for everybody else."""
    if not permissions.may_administer(actor):
        return None
    return session().get_one(Member, actor.id).wants_health_mail


def set_wants_health_mail(actor: Actor, wanted: bool) -> None:
    """Turn emails about the servers' health on or off."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        writing.get_one(Member, actor.id).wants_health_mail = wanted
        audit.record(
            actor,
            "member.health_mail_on" if wanted else "member.health_mail_off",
            actor.name,
            subject_id=actor.id,
        )


def reset_password(actor: Actor, member_id: uuid.UUID) -> str:
    """Generate a new password for a member and end their sessions. It is returned once and not stored."""
    password = passwords.generate()
    with unit_of_work():
        member = require_member(actor, member_id)
        member.password_hash = passwords.hash_of(password)
        sessions.end_all(member_id, except_id=actor.session_id)
        audit.record(actor, "password.reset", member.name, subject_id=member_id)
    return password
