"""Invitations: a link that works once, for seven days. Only its hash is stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from models import Invitation, Mail, Member, new_id, utcnow
from services.access import permissions
from services.auth import passwords, sessions
from services.core import audit
from services.core.actor import Actor, Nobody
from services.core.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from services.core.text.email_addresses import email_key
from services.core.unit_of_work import session, unit_of_work
from services.directory import details as directory_details
from services.directory.details import Details
from services.directory.people import NewMember, create
from services.guidance.refusals import refusal, worded
from services.mail import server_state
from services.members.invitation_links import hash_of, link_of, tokens_of

LIFETIME = timedelta(days=7)
BATCH = 500
MAIL = "invitation"
MAX_LISTED = 200


class InvitationEndedError(RefusedError):
    """The link does not work, or no longer works; `code` says why."""


@dataclass(frozen=True)
class NewInvitation:
    """A person to invite. They can enter the name themselves."""

    email: str
    name: str = ""
    organisation: str = ""
    is_guest: bool = False


class AlreadyInvitedError(ConflictError):
    """The person has an open invitation, which a new one would replace."""

    def __init__(self, invitation: InvitationView) -> None:
        super().__init__(**worded("invitation.open", email=invitation.email))
        self.invitation = invitation


@dataclass(frozen=True)
class NewLink:
    """A new link, shown to the admin once. `mail_waits`: why the email is not sent yet."""

    email: str
    link: str = field(repr=False)
    is_mailed: bool
    mail_waits: str
    expires_at: datetime


@dataclass(frozen=True)
class InvitationView:
    id: uuid.UUID
    name: str
    email: str
    organisation: str
    is_guest: bool
    invited_by: str
    created_at: datetime
    expires_at: datetime
    is_expired: bool
    mail: str


def invite(actor: Actor, new: NewInvitation, *, replaces: bool = False) -> NewLink:
    """Invite a person. Raises InvalidError, or AlreadyInvitedError unless it `replaces` an open invitation."""
    permissions.require_admin(actor)
    if found := problems(new):
        raise InvalidError(found)
    details = _details(new)
    name = "" if details.name == "-" else details.name
    with unit_of_work():
        member = known(details.email)
        if member is not None and (sentence := _known_problem(member)):
            raise InvalidError({"email": sentence})
        if not replaces and (existing := usable(details.email)):
            raise AlreadyInvitedError(_view(existing))
        row = create_invitation(
            actor, replace(new, name=name, email=details.email, organisation=details.organisation), member
        )
        audit.record(actor, "invitation.made", row.email, subject_id=row.id, is_guest=row.is_guest)
        return new_link(row)


def problems(new: NewInvitation) -> dict[str, str]:
    """Validation errors of an invitation, by field."""
    details = _details(new)
    found = directory_details.problems(details)
    member = known(details.email) if "email" not in found else None
    if member is not None and (sentence := _known_problem(member)):
        found["email"] = sentence
    return found


def renew(actor: Actor, invitation_id: uuid.UUID) -> NewLink:
    """Replace the link by a new one, for seven more days."""
    with unit_of_work():
        row = _require_open(actor, invitation_id)
        new = NewInvitation(row.email, row.name, row.organisation, row.is_guest)
        member = session().get(Member, row.member_id) if row.member_id else None
        fresh = create_invitation(actor, new, member)
        audit.record(actor, "invitation.renewed", fresh.email, subject_id=fresh.id)
        return new_link(fresh)


def withdraw(actor: Actor, invitation_id: uuid.UUID) -> str:
    """End an invitation. Returns its email address."""
    with unit_of_work():
        row = _require_open(actor, invitation_id)
        _end(row, "withdrawn")
        audit.record(actor, "invitation.withdrawn", row.email, subject_id=row.id)
        return row.email


def open_invitations(actor: Actor) -> tuple[InvitationView, ...]:
    """The newest invitations that have not ended."""
    permissions.require_admin(actor)
    rows = session().execute(
        select(Invitation, Mail)
        .outerjoin(Mail, Mail.id == Invitation.id)
        .where(Invitation.ended_at.is_(None))
        .order_by(Invitation.created_at.desc())
        .limit(MAX_LISTED)
    )
    return tuple(_view(row, mail) for row, mail in rows)


def by_token(token: str) -> InvitationView:
    """The open invitation of a link. Raises InvitationEndedError."""
    return _view(_opened(token))


def accept(who: Nobody, token: str, name: str, password: str) -> str:
    """Create the account, or set its password, and sign in: returns the session's token.

    Raises InvitationEndedError or InvalidError.
    """
    with unit_of_work():
        row = _opened(token, lock=True)
        by = replace(who, name=f"Invitation of {row.email}")
        member = session().get(Member, row.member_id, with_for_update=True) if row.member_id else None
        if member is None:
            member = create(by, NewMember(name, row.email, password, row.organisation, is_guest=row.is_guest))
        else:
            _give_password(member, name, password)
        row.member_id = member.id
        _end(row, "used")
        person = Actor(member.id, member.name, member.email, address=who.address, request_id=who.request_id)
        audit.record(person, "invitation.accepted", member.name, subject_id=member.id)
        return sessions.begin(member.id)


def create_invitation(actor: Actor, new: NewInvitation, member: Member | None) -> Invitation:
    """A new row in the open unit of work, validated by the caller; ends an open one of the same person."""
    (invitation_id,) = create_all(actor, [(new, member.id if member else None)])
    return session().get_one(Invitation, invitation_id)


def create_all(actor: Actor, wanted: Sequence[tuple[NewInvitation, uuid.UUID | None]]) -> list[uuid.UUID]:
    """New rows for many people in few statements."""
    rows = [_row(actor, new, member_id) for new, member_id in wanted]
    try:
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            keys = [row["email_key"] for row in some]
            session().execute(
                update(Invitation)
                .where(Invitation.email_key.in_(keys), Invitation.ended_at.is_(None))
                .values(ended_at=utcnow(), ended_as="replaced")
            )
            session().execute(insert(Invitation), some)
            if server_state.is_set_up():
                session().execute(insert(Mail), [{"id": row["id"], "kind": MAIL} for row in some])
    except IntegrityError as error:
        raise ConflictError("Someone else has just invited this person. See the open invitations.") from error
    return [row["id"] for row in rows]


def _row(actor: Actor, new: NewInvitation, member_id: uuid.UUID | None) -> dict[str, Any]:
    invitation_id, now = new_id(), utcnow()
    return {
        "id": invitation_id,
        "token_hash": hash_of(tokens_of(invitation_id)[0]),
        "email": new.email,
        "email_key": email_key(new.email),
        "name": new.name,
        "organisation": new.organisation,
        "is_guest": new.is_guest,
        "invited_by": actor.name,
        "invited_by_id": actor.id,
        "member_id": member_id,
        "created_at": now,
        "expires_at": now + LIFETIME,
    }


def _ended(reason: str) -> InvitationEndedError:
    return refusal(InvitationEndedError, f"invitation.{reason}")


def _opened(token: str, *, lock: bool = False) -> Invitation:
    query = select(Invitation).where(Invitation.token_hash == hash_of(token))
    row = session().scalar(query.with_for_update() if lock else query)
    if row is None:
        raise _ended("unknown")
    if row.ended_as:
        raise _ended(row.ended_as)
    if row.expires_at <= utcnow():
        raise _ended("expired")
    member = known(row.email)
    if member is not None and not member.is_active:
        raise _ended("closed")
    if member is not None and (member.password_hash or member.id != row.member_id):
        raise _ended("used")
    if member is None and row.member_id is not None:  # their email address was changed since
        raise _ended("replaced")
    return row


def _give_password(member: Member, name: str, password: str) -> None:
    """Set the password of a member who was imported without one."""
    details = Details(name, member.email, member.organisation, member.is_admin, member.is_guest).normalised()
    found = directory_details.problems(details)
    if sentence := passwords.problem(
        password, name=details.name, email=details.email, organisation=details.organisation
    ):
        found["password"] = sentence
    if found:
        raise InvalidError(found)
    directory_details.write(member, details)
    member.password_hash = passwords.hash_of(password)


def problems_joining(token: str, name: str, password: str) -> dict[str, str]:
    """Validation errors of the name and password of an accepting person, by field. Raises InvitationEndedError."""
    row = _opened(token)
    details = Details(name, row.email, row.organisation, is_guest=row.is_guest).normalised()
    found = directory_details.problems(details)
    if password and (
        sentence := passwords.problem(
            password, name=details.name, email=details.email, organisation=details.organisation
        )
    ):
        found["password"] = sentence
    return found


def _details(new: NewInvitation) -> Details:
    return Details(new.name or "-", new.email, new.organisation, is_guest=new.is_guest).normalised()


def known(email: str) -> Member | None:
    """The person with this address."""
    return session().scalar(select(Member).where(Member.email_key == email_key(email)))


def usable(email: str) -> Invitation | None:
    """The invitation to this address whose link works."""
    return session().scalar(
        select(Invitation).where(
            Invitation.email_key == email_key(email),
            Invitation.ended_at.is_(None),
            Invitation.expires_at > utcnow(),
        )
    )


def _known_problem(member: Member) -> str:
    if not member.is_active:
        return f"This is the address of {member.name}, who is deactivated. Reactivate them instead."
    return f"{member.name} already has an account with this address." if member.password_hash else ""


def _require_open(actor: Actor, invitation_id: uuid.UUID) -> Invitation:
    permissions.require_admin(actor)
    row = session().get(Invitation, invitation_id, with_for_update=True)
    if row is None:
        raise NotFoundError("We could not find this invitation.")
    if row.ended_as:
        raise ConflictError("This invitation has been used, replaced or withdrawn.")
    return row


def _end(row: Invitation, how: str) -> None:
    row.ended_at, row.ended_as = utcnow(), how


def new_link(row: Invitation) -> NewLink:
    """What is shown of a new invitation, once."""
    failing = server_state.failing()
    reason = failing.reason if failing else ""
    return NewLink(row.email, link_of(row) or "", server_state.is_set_up(), reason, row.expires_at)


def _view(row: Invitation, mail: Mail | None = None) -> InvitationView:
    return InvitationView(
        row.id,
        row.name,
        row.email,
        row.organisation,
        row.is_guest,
        row.invited_by,
        row.created_at,
        row.expires_at,
        row.expires_at <= utcnow(),
        _mail_outcome(mail) if mail else "",
    )


def _mail_outcome(mail: Mail) -> str:
    if mail.closed_at is not None or not mail.outcome:
        return mail.outcome or "Waiting to be sent."
    return f"Waiting to be sent. {mail.outcome}"
