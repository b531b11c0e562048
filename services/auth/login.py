"""Signing in and out: a wrong password and an unknown account get the same answer in the same time."""

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

NOTIFY_EVERY = timedelta(days=1)
WRONG = "The email address or password is wrong. Check both and try again."


@dataclass(frozen=True)
class SignedIn:
    """A new session's token. `slowed_at`: when failed sign-ins by others were last throttled, if not reported yet."""

    token: str
    slowed_at: datetime | None


def sign_in(who: Nobody, email: str, password: str, device: str = "") -> SignedIn:
    """A new session. Raises InvalidError if address or password is wrong, TooManyError above the rate limit.

    `device` is the browser's device cookie: failed sign-ins from elsewhere never throttle a known browser.
    """
    key = email_key(email)
    typed = email if email_problem(email) is None else "an invalid email address"
    member = session().scalar(select(Member).where(Member.email_key == key))
    nonce = known_devices.nonce_for(device, member.id) if member else None
    try:
        attempt = _register(who, key, nonce)
    except login_throttle.LoginThrottledError as slowed:
        if slowed.is_first:
            _record_throttled(who, key, typed, slowed.limit)
        raise
    is_right = passwords.verify(member.password_hash if member else None, password)
    if member is None or not is_right:
        _record(who, "sign_in", typed, "failed")
        raise InvalidError({"": WRONG})
    return _open_session(who, member, attempt, password)


def _register(who: Nobody, key: str, nonce: str | None) -> login_throttle.Attempt:
    """A known browser counts as unknown after too many failures of its own."""
    unknown = login_throttle.unknown_browser_limits(key, who.address)
    if nonce is None:
        return login_throttle.register(unknown)
    try:
        return login_throttle.register(login_throttle.device_limits(nonce))
    except login_throttle.LoginThrottledError:
        return login_throttle.register(unknown)


def _record_throttled(who: Nobody, key: str, typed: str, limit: str) -> None:
    """Record that sign-ins are throttled, and notify the account's owner by email, at most once a day."""
    now = utcnow()
    with unit_of_work() as writing:
        audit.record(who, "sign_in.locked", typed, outcome="refused", limit=limit)
        notified = (
            update(Member)
            .where(
                Member.email_key == key,
                Member.is_active,
                or_(Member.sign_in_slowed_at.is_(None), Member.sign_in_slowed_at < now - NOTIFY_EVERY),
            )
            .values(sign_in_slowed_at=now)
            .returning(Member.id)
        )
        if limit != "address" and (member_id := writing.scalar(notified)):
            outbox.queue_lockout(member_id, who.address)


def _open_session(who: Nobody, member: Member, attempt: login_throttle.Attempt, password: str) -> SignedIn:
    """Open the session in a unit of work that reads the member again: they may have been deactivated in between."""
    member_id, checked_hash = member.id, member.password_hash
    with unit_of_work() as writing:
        member = writing.get_one(Member, member_id, with_for_update=True)
        is_unchanged = member.is_active and member.password_hash == checked_hash
        if is_unchanged:
            if passwords.is_outdated(checked_hash):
                member.password_hash = passwords.hash_of(password)
            slowed_at, member.sign_in_slowed_at = member.sign_in_slowed_at, None
            login_throttle.clear(attempt)
            person = Actor(
                member.id, member.name, member.email, address=who.address, request_id=who.request_id
            )
            audit.record(person, "sign_in", subject_id=member.id)
            return SignedIn(sessions.begin(member.id), slowed_at)
    _record(who, "sign_in", member.email, "failed")
    raise InvalidError({"": WRONG})


def sign_out(actor: Actor, token: str) -> None:
    """End this browser's session on the server."""
    with unit_of_work():
        sessions.end(token)
        audit.record(actor, "sign_out", subject_id=actor.id)


def _record(who: Nobody, action: str, subject: str, outcome: str) -> None:
    with unit_of_work():
        audit.record(who, action, subject, outcome=outcome)
