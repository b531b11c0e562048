"""Signing in and out: one sentence and one cost for a wrong password and for an account that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from models import Member, utcnow
from services.auth import known_devices, login_throttle, passwords, sessions
from services.core import audit
from services.core.actor import Actor, Nobody
from services.core.errors import InvalidError
from services.core.text.email_addresses import email_key, email_problem
from services.core.unit_of_work import session, unit_of_work
from services.mail import outbox

TOLD_EVERY = timedelta(days=1)
WRONG = "The e-mail address or the password is not right. Check both and try again."


@dataclass(frozen=True)
class SignedIn:
    """A new session's token. `slowed_at`: when others had to wait after guessing at this account, since last told."""

    token: str
    slowed_at: datetime | None


def sign_in(who: Nobody, email: str, password: str, device: str = "") -> SignedIn:
    """A new session. Raises InvalidError where the pair is wrong, TooManyError where guessing has to wait.

    `device` is the browser's device cookie: the right password is never kept waiting by others' guesses.
    """
    key = email_key(email)
    typed = email if email_problem(email) is None else "something that is no e-mail address"
    member = session().scalar(select(Member).where(Member.email_key == key))
    nonce = known_devices.nonce_for(device, member.id) if member else None
    try:
        guess = _register(who, key, nonce)
    except login_throttle.LoginThrottledError as slowed:
        if slowed.is_first:
            _note_slowed(who, key, typed, slowed.limit)
        raise
    is_right = passwords.verify(member.password_hash if member else None, password)
    if member is None or not is_right:
        _note(who, "sign_in", typed, "failed")
        raise InvalidError({"": WRONG})
    return _begin(who, member, guess, password)


def _register(who: Nobody, key: str, nonce: str | None) -> login_throttle.Guess:
    """A browser that is known is one like any other after too many wrong guesses of its own."""
    strange = login_throttle.of_stranger(key, who.address)
    if nonce is None:
        return login_throttle.register(strange)
    try:
        return login_throttle.register(login_throttle.of_device(nonce))
    except login_throttle.LoginThrottledError:
        return login_throttle.register(strange)


def _note_slowed(who: Nobody, key: str, typed: str, limit: str) -> None:
    """Put on record that somebody has to wait, and tell whose account it is: at once, and at most once a day."""
    now = utcnow()
    with unit_of_work() as writing:
        audit.record(who, "sign_in.locked", typed, outcome="refused", limit=limit)
        told = (
            update(Member)
            .where(
                Member.email_key == key,
                Member.is_active,
                or_(Member.sign_in_slowed_at.is_(None), Member.sign_in_slowed_at < now - TOLD_EVERY),
            )
            .values(sign_in_slowed_at=now)
            .returning(Member.id)
        )
        if limit != "address" and (member_id := writing.scalar(told)):
            outbox.queue_lockout(member_id, who.address)


def _begin(who: Nobody, member: Member, guess: login_throttle.Guess, password: str) -> SignedIn:
    """Open the session in a unit that looks again: the member may have been deactivated in between."""
    member_id, judged = member.id, member.password_hash
    with unit_of_work() as writing:
        member = writing.get_one(Member, member_id, with_for_update=True)
        still_right = member.is_active and member.password_hash == judged
        if still_right:
            if passwords.is_outdated(judged):
                member.password_hash = passwords.hash_of(password)
            slowed_at, member.sign_in_slowed_at = member.sign_in_slowed_at, None
            login_throttle.clear(guess)
            person = Actor(
                member.id, member.name, member.email, address=who.address, request_id=who.request_id
            )
            audit.record(person, "sign_in", subject_id=member.id)
            return SignedIn(sessions.begin(member.id), slowed_at)
    _note(who, "sign_in", member.email, "failed")
    raise InvalidError({"": WRONG})


def sign_out(actor: Actor, token: str) -> None:
    """End this browser's session, whatever its cookie says later."""
    with unit_of_work():
        sessions.end(token)
        audit.record(actor, "sign_out", subject_id=actor.id)


def _note(who: Nobody, action: str, subject: str, outcome: str) -> None:
    with unit_of_work():
        audit.record(who, action, subject, outcome=outcome)
