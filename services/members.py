"""Members and guests: finding them, listing them for admins, and adding them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter

from sqlalchemy import SQLColumnExpression, func, select

from models import Member, Participant, new_id
from services import audit, member_details, passwords, permissions
from services.actor import Actor, Who
from services.errors import Invalid, NotFound
from services.member_details import Details
from services.text import ESCAPE, fold, like_pattern
from services.unit import session, unit

Condition = SQLColumnExpression[bool]

PAGE = 20
# Up to this many matches are sorted here: a database asked for "the first 20 by name" of a few rare matches
# walks the whole index of names to find them.
SORTED_HERE = 500


@dataclass(frozen=True)
class PersonView:
    """A person as others find him: enough to tell two namesakes apart."""

    id: uuid.UUID
    name: str
    email: str
    organisation: str
    is_guest: bool


@dataclass(frozen=True)
class MemberView:
    """A person as a System Admin sees him."""

    id: uuid.UUID
    name: str
    email: str
    organisation: str
    is_admin: bool
    is_guest: bool
    is_active: bool
    created_at: datetime
    deactivated_at: datetime | None
    matters: int


@dataclass(frozen=True)
class MemberPage:
    members: tuple[MemberView, ...]
    page: int
    has_next: bool


@dataclass(frozen=True)
class Added:
    """Somebody who was added, and the password that was made for him: it is on no record and shown once."""

    id: uuid.UUID
    name: str
    made_password: str = field(repr=False)


@dataclass(frozen=True)
class NewMember:
    """Somebody to add. A guest is a person of another organisation, and never an admin."""

    name: str
    email: str
    password: str = field(repr=False)
    organisation: str = ""
    is_admin: bool = False
    is_guest: bool = False


def search_people(actor: Actor, text: str, *, staff_only: bool, limit: int = PAGE) -> tuple[PersonView, ...]:
    """Active people whose name or e-mail holds every word of the text, first by name. Guests find nobody."""
    if actor.is_guest or not _words(text):
        return ()
    conditions: list[Condition] = [Member.is_active, *_holds(text)]
    if staff_only:
        conditions.append(Member.is_guest.is_(False))
    return tuple(
        PersonView(row.id, row.name, row.email, row.organisation, row.is_guest)
        for row in _by_name(conditions, 0, limit)
    )


def page_of_members(actor: Actor, text: str = "", page: int = 1) -> MemberPage:
    """Everybody by name, deactivated ones too, a page at a time."""
    permissions.require_admin(actor)
    rows = _by_name(_holds(text), (page - 1) * PAGE, PAGE + 1)
    counts = _matters_of([row.id for row in rows])
    views = tuple(_view(row, counts.get(row.id, 0)) for row in rows)
    return MemberPage(views[:PAGE], page, len(views) > PAGE)


def member(actor: Actor, member_id: uuid.UUID) -> MemberView:
    row = require_member(actor, member_id)
    return _view(row, _matters_of([row.id]).get(row.id, 0))


def require_member(actor: Actor, member_id: uuid.UUID) -> Member:
    """The row, for System Admins. Raises NotFound where there is none."""
    permissions.require_admin(actor)
    row = session().get(Member, member_id)
    if row is None:
        raise NotFound("We could not find this member.")
    return row


def add(actor: Actor, new: NewMember) -> Added:
    """Add a member or guest, as a System Admin. Without a password one is made."""
    permissions.require_admin(actor)
    made = "" if new.password else passwords.generate()
    with unit():
        row = create(actor, replace(new, password=new.password or made))
        return Added(row.id, row.name, made)


def create(who: Who, new: NewMember) -> Member:
    """Add a member or guest, in the open unit. Whoever calls has judged who may. Raises Invalid."""
    details = Details(new.name, new.email, new.organisation, new.is_admin, new.is_guest).tidied()
    faults = member_details.faults(details)
    if sentence := passwords.fault(new.password, name=details.name, email=details.email):
        faults["password"] = sentence
    if faults:
        raise Invalid(faults)
    row = Member(id=new_id(), password_hash=passwords.hash_of(new.password))
    member_details.write(row, details)
    audit.record(
        who,
        "guest.added" if new.is_guest else "member.added",
        row.name,
        subject_id=row.id,
        email=row.email,
        is_admin=row.is_admin,
    )
    return row


def _words(text: str) -> list[str]:
    return fold(text.replace("\0", " ")).split()


def _holds(text: str) -> list[Condition]:
    return [Member.search_key.like(like_pattern(word), escape=ESCAPE) for word in _words(text)]


def _by_name(conditions: list[Condition], start: int, count: int) -> list[Member]:
    ordered = select(Member).order_by(Member.name_key, Member.email_key)
    if conditions:
        keys = select(Member.name_key, Member.email_key, Member.id).where(*conditions)
        some = session().execute(keys.limit(SORTED_HERE + 1)).all()
        if len(some) <= SORTED_HERE:
            chosen = [row[2] for row in sorted(some, key=itemgetter(0, 1))[start : start + count]]
            return list(session().scalars(ordered.where(Member.id.in_(chosen))))
    return list(session().scalars(ordered.where(*conditions).offset(start).limit(count)))


def _matters_of(member_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = session().execute(
        select(Participant.member_id, func.count())
        .where(Participant.member_id.in_(member_ids))
        .group_by(Participant.member_id)
    )
    return {row[0]: row[1] for row in rows}


def _view(row: Member, matters: int) -> MemberView:
    return MemberView(
        id=row.id,
        name=row.name,
        email=row.email,
        organisation=row.organisation,
        is_admin=row.is_admin,
        is_guest=row.is_guest,
        is_active=row.is_active,
        created_at=row.created_at,
        deactivated_at=row.deactivated_at,
        matters=matters,
    )
