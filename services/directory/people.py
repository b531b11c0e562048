"""Members and guests: searching, listing for System Admins, and adding."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import func, select

from models import Member, Participant, new_id
from services.access import permissions
from services.auth import passwords
from services.core import audit
from services.core.actor import Actor, Who
from services.core.errors import InvalidError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.directory import details as directory_details
from services.directory import search as directory_search
from services.directory.details import Details
from services.directory.search import EVERYONE, MemberFilter

PAGE = 100
MAX_FOUND = 20


@dataclass(frozen=True)
class Person:
    """A member or guest as others find them: enough to tell two namesakes apart.

    `role` is theirs in the matter that the search is for; empty where they take no part in it.
    """

    id: uuid.UUID
    name: str
    email: str
    organisation: str
    is_guest: bool
    is_active: bool
    role: str = ""

    @property
    def note(self) -> str:
        """What keeps them from using iManage, if anything does."""
        return "Guest" if self.is_guest else "" if self.is_active else "Not active"


@dataclass(frozen=True)
class MemberView:
    """A person as a System Admin sees them."""

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
    """One page of the members by name. `before` and `after` are the cursors of the pages next to it.

    `matches` counts the results of a search; if there are `too_many`, only those whose name begins with it are shown.
    """

    members: tuple[MemberView, ...]
    before: uuid.UUID | None = None
    after: uuid.UUID | None = None
    matches: int = 0
    too_many: bool = False


@dataclass(frozen=True)
class Added:
    """A member who was added, with the generated password: it is not stored, and shown once."""

    id: uuid.UUID
    name: str
    generated_password: str = field(repr=False)


@dataclass(frozen=True)
class NewMember:
    """A member or guest to add. A guest belongs to another organisation and is never a System Admin."""

    name: str
    email: str
    password: str = field(repr=False)
    organisation: str = ""
    is_admin: bool = False
    is_guest: bool = False


def search_people(actor: Actor, text: str, *, staff_only: bool, limit: int = MAX_FOUND) -> tuple[Person, ...]:
    """Active people who match the text, by name. Empty for a guest."""
    if actor.is_guest:
        return ()
    wanted = MemberFilter(is_active=True, is_guest=False if staff_only else None)
    found = directory_search.search_by_name(text, wanted, limit)
    return tuple(map(person_of, found.members))


def person_of(row: Member, *, role: str = "") -> Person:
    return Person(row.id, row.name, row.email, row.organisation, row.is_guest, row.is_active, role)


def list_members(
    actor: Actor,
    text: str = "",
    wanted: MemberFilter = EVERYONE,
    *,
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
) -> MemberPage:
    """Members by name: the first that match the text, or without one a page after or before a cursor."""
    permissions.require_admin(actor)
    if text.strip():
        found = directory_search.search_by_name(text, wanted, PAGE)
        return MemberPage(views(found.members), matches=found.matches, too_many=found.too_many)
    to = session().get(Member, before) if before else None
    since = session().get(Member, after) if after and not to else None
    rows = directory_search.by_name(wanted, PAGE + 1, after=since, before=to)
    has_more = len(rows) > PAGE
    rows = rows[-PAGE:] if to else rows[:PAGE]
    return MemberPage(
        views(rows),
        before=rows[0].id if rows and (has_more if to else since) else None,
        after=rows[-1].id if rows and (to or has_more) else None,
    )


def member(actor: Actor, member_id: uuid.UUID) -> MemberView:
    return views([require_member(actor, member_id)])[0]


def require_member(actor: Actor, member_id: uuid.UUID) -> Member:
    """The row, for System Admins. Raises NotFoundError."""
    permissions.require_admin(actor)
    row = session().get(Member, member_id)
    if row is None:
        raise NotFoundError("We could not find this member.")
    return row


def add(actor: Actor, new: NewMember) -> Added:
    """Add a member or guest, as a System Admin. Without a password, one is generated."""
    permissions.require_admin(actor)
    generated = "" if new.password else passwords.generate()
    with unit_of_work():
        row = create(actor, replace(new, password=new.password or generated))
        return Added(row.id, row.name, generated)


def problems(new: NewMember, *, generates_password: bool = False) -> dict[str, str]:
    """Validation errors by field. `generates_password`: a missing password is no error."""
    details = _details(new)
    found = directory_details.email_taken(details) | directory_details.problems(details)
    sentence = passwords.problem(
        new.password, name=details.name, email=details.email, organisation=details.organisation
    )
    if sentence and (new.password or not generates_password):
        found["password"] = sentence
    return found


def create(who: Who, new: NewMember) -> Member:
    """Add a member or guest, in the open unit of work. The caller has checked the permission. Raises InvalidError."""
    details = _details(new)
    if found := problems(new):
        raise InvalidError(found)
    row = Member(id=new_id(), password_hash=passwords.hash_of(new.password))
    directory_details.write(row, details)
    audit.record(
        who,
        "guest.added" if new.is_guest else "member.added",
        row.name,
        subject_id=row.id,
        email=row.email,
        is_admin=row.is_admin,
    )
    return row


def _details(new: NewMember) -> Details:
    return Details(new.name, new.email, new.organisation, new.is_admin, new.is_guest).normalised()


def views(rows: Sequence[Member]) -> tuple[MemberView, ...]:
    """Rows as System Admins see them, with the number of matters of each member."""
    counts = _matters_of([row.id for row in rows])
    return tuple(_view(row, counts.get(row.id, 0)) for row in rows)


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
