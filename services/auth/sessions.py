"""Sign-in sessions of browsers, stored so that they can be ended on the server."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta

from sqlalchemy import select, update

from models import SignInSession, utcnow
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work

IDLE_TIMEOUT = timedelta(hours=12)
LONGEST = timedelta(days=7)
UPDATE_SEEN_EVERY = timedelta(minutes=1)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(member_id: uuid.UUID) -> str:
    """A new session for this member, in the open unit of work. Only a hash of the returned token is stored."""
    token = secrets.token_urlsafe(32)
    session().add(SignInSession(token_hash=_hash(token), member_id=member_id))
    return token


def resume(token: str, *, address: str = "", request_id: str = "") -> Actor | None:
    """The person behind a token; None if the session has ended or the member is inactive."""
    row = session().scalar(select(SignInSession).where(SignInSession.token_hash == _hash(token)))
    now = utcnow()
    if row is None or row.ended_at or not row.member.is_active:
        return None
    if now - row.seen_at > IDLE_TIMEOUT or now - row.created_at > LONGEST:
        return None
    member = row.member
    person = Actor(
        id=member.id,
        name=member.name,
        email=member.email,
        is_admin=member.is_admin,
        is_guest=member.is_guest,
        organisation_id=member.organisation_id,
        session_id=row.id,
        address=address,
        request_id=request_id,
        viewed_as_id=row.viewed_as_id,
        viewed_matter_id=row.viewed_matter_id,
    )
    if now - row.seen_at > UPDATE_SEEN_EVERY:
        with unit_of_work() as writing:
            writing.execute(
                update(SignInSession).where(SignInSession.id == person.session_id).values(seen_at=now)
            )
    return person


def view_as(session_id: uuid.UUID, member_id: uuid.UUID | None, matter_id: uuid.UUID | None) -> None:
    """The session shows this matter as it is for this guest, or again as it is for its own person."""
    session().execute(
        update(SignInSession)
        .where(SignInSession.id == session_id)
        .values(viewed_as_id=member_id, viewed_matter_id=matter_id)
    )


def end(token: str) -> None:
    """Sign out this browser."""
    with unit_of_work() as writing:
        writing.execute(
            update(SignInSession).where(SignInSession.token_hash == _hash(token)).values(ended_at=utcnow())
        )


def end_all(member_id: uuid.UUID, *, except_id: uuid.UUID | None = None) -> None:
    """End every session of a member, in the open unit of work: on deactivation and password change."""
    ending = update(SignInSession).where(
        SignInSession.member_id == member_id, SignInSession.ended_at.is_(None)
    )
    if except_id is not None:
        ending = ending.where(SignInSession.id != except_id)
    session().execute(ending.values(ended_at=utcnow()))
