"""Signing in and out: one sentence and one cost for a wrong password and for an account that is not there."""

from __future__ import annotations

from sqlalchemy import select

from models import Member
from services import audit, guessing, passwords, sessions
from services.actor import Actor, Nobody
from services.email import email_fault, email_key
from services.errors import Invalid, TooMany
from services.unit import session, unit

WRONG = "The e-mail address or the password is not right. Check both and try again."


def sign_in(who: Nobody, email: str, password: str) -> str:
    """The token of a new session. Raises Invalid where the pair is wrong, TooMany where guessing has to wait."""
    key = email_key(email)
    typed = email if email_fault(email) is None else "something that is no e-mail address"
    try:
        guess = guessing.register(guessing.account(key), guessing.address(who.address))
    except TooMany:
        _note(who, "sign_in.locked", typed, "refused")
        raise
    member = session().scalar(select(Member).where(Member.email_key == key))
    is_right = passwords.is_right(member.password_hash if member else None, password)
    if member is None or not is_right:
        _note(who, "sign_in", typed, "failed")
        raise Invalid({"": WRONG})
    return _begin(who, member, guess, password)


def _begin(who: Nobody, member: Member, guess: guessing.Guess, password: str) -> str:
    """Open the session in a unit that looks again: the member may have been deactivated in between."""
    member_id, judged = member.id, member.password_hash
    with unit() as writing:
        member = writing.get_one(Member, member_id, with_for_update=True)
        still_right = member.is_active and member.password_hash == judged
        if still_right:
            if passwords.is_outdated(judged):
                member.password_hash = passwords.hash_of(password)
            guessing.forgive(guess)
            person = Actor(
                member.id, member.name, member.email, address=who.address, request_id=who.request_id
            )
            audit.record(person, "sign_in", subject_id=member.id)
            return sessions.begin(member.id)
    _note(who, "sign_in", member.email, "failed")
    raise Invalid({"": WRONG})


def sign_out(actor: Actor, token: str) -> None:
    """End this browser's session, whatever its cookie says later."""
    with unit():
        sessions.end(token)
        audit.record(actor, "sign_out", subject_id=actor.id)


def _note(who: Nobody, action: str, subject: str, outcome: str) -> None:
    with unit():
        audit.record(who, action, subject, outcome=outcome)
