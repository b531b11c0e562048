"""Groups of members, managed by System Admins; a restricted server can list a group."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError

from models import Group, GroupMember, Member, Server, ServerGroup, new_id
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.pagination import Page, paginate
from services.core.text import csv as text_csv
from services.core.text.normalise import fold
from services.core.unit_of_work import session, unit_of_work
from services.directory.people import Person, person_of
from services.servers import restriction
from services.servers.restriction import GroupRow, end_use_of_unlisted, groups_by_name
from services.servers.validation import name_problem

LONGEST_NAME = 100
PAGE = 100
TAKEN = "A group with this name already exists. Letter case and accents do not make a different name."


@dataclass(frozen=True)
class GroupView:
    """A group with one page of its members."""

    id: uuid.UUID
    name: str
    members: int
    people: Page[Person]
    servers: tuple[str, ...]


def all_groups(actor: Actor) -> tuple[GroupRow, ...]:
    """All groups by name, in two queries."""
    permissions.require_admin(actor)
    servers: dict[uuid.UUID, list[str]] = {}
    for group_id, name in session().execute(
        select(ServerGroup.group_id, Server.name)
        .join(Server, Server.id == ServerGroup.server_id)
        .order_by(Server.name_key)
    ):
        servers.setdefault(group_id, []).append(name)
    return tuple(replace(each, servers=tuple(servers.get(each.id, ()))) for each in groups_by_name())


def group(actor: Actor, group_id: uuid.UUID, page: int = 1) -> GroupView:
    row = _require(actor, group_id)
    people = paginate(_members(group_id), page, PAGE)
    count = select(func.count()).where(GroupMember.group_id == group_id)
    return GroupView(
        row.id,
        row.name,
        session().scalar(count) or 0,
        people.with_rows(map(person_of, people.rows)),
        tuple(each.name for each in _servers(group_id)),
    )


def find_people(actor: Actor, group_id: uuid.UUID, text: str) -> tuple[Person, ...]:
    """Active members who are not in the group yet; never guests."""
    return restriction.find_people(actor, text, member_ids(actor, group_id))


def member_ids(actor: Actor, group_id: uuid.UUID) -> set[uuid.UUID]:
    _require(actor, group_id)
    return set(session().scalars(select(GroupMember.member_id).where(GroupMember.group_id == group_id)))


def create(actor: Actor, name: str) -> uuid.UUID:
    """Raises InvalidError at `name`."""
    permissions.require_admin(actor)
    group_id = new_id()
    _check(name)
    try:
        with unit_of_work() as writing:
            writing.add(Group(id=group_id, name=name, name_key=fold(name)))
            audit.record(actor, "group.created", name, subject_id=group_id)
    except IntegrityError:
        raise InvalidError({"name": TAKEN}) from None
    return group_id


def rename(actor: Actor, group_id: uuid.UUID, name: str) -> None:
    """Raises InvalidError at `name`."""
    _require(actor, group_id)
    _check(name)
    try:
        with unit_of_work():
            row = _require(actor, group_id)
            before, row.name, row.name_key = row.name, name, fold(name)
            if before != name:
                audit.record(actor, "group.renamed", name, subject_id=group_id, before=before)
    except IntegrityError:
        raise InvalidError({"name": TAKEN}) from None


def add(actor: Actor, group_id: uuid.UUID, wanted: Iterable[uuid.UUID]) -> int:
    """Add active members of the firm who are not in the group yet; ignores others. Returns how many were added."""
    with unit_of_work() as writing:
        row = _require(actor, group_id, lock=True)
        inside = member_ids(actor, group_id)
        people = writing.scalars(
            select(Member).where(
                Member.id.in_(set(wanted) - inside), Member.is_active, Member.is_guest.is_(False)
            )
        ).all()
        writing.add_all(GroupMember(group_id=group_id, member_id=each.id) for each in people)
        if people:
            audit.record(
                actor,
                "group.members_added",
                row.name,
                subject_id=group_id,
                added=[each.email for each in people],
            )
    return len(people)


def remove(actor: Actor, group_id: uuid.UUID, member_id: uuid.UUID) -> int:
    """Remove a member. Returns how many sign-ins ended: those to servers that listed them only by this group."""
    with unit_of_work() as writing:
        row = _require(actor, group_id, lock=True)
        membership = writing.get(GroupMember, (group_id, member_id))
        if membership is None:
            return 0
        member = writing.get_one(Member, member_id)
        writing.delete(membership)
        writing.flush()
        ended = _end_sign_ins(_servers(group_id))
        audit.record(
            actor,
            "group.member_removed",
            row.name,
            subject_id=group_id,
            removed=member.email,
            signed_out=ended,
        )
    return ended


def delete_group(actor: Actor, group_id: uuid.UUID) -> int:
    """Delete the group, not its members. Returns how many sign-ins ended."""
    with unit_of_work() as writing:
        row = _require(actor, group_id, lock=True)
        servers = _servers(group_id)
        writing.execute(delete(ServerGroup).where(ServerGroup.group_id == group_id))
        writing.execute(delete(GroupMember).where(GroupMember.group_id == group_id))
        writing.delete(row)
        writing.flush()
        ended = _end_sign_ins(servers)
        audit.record(
            actor,
            "group.deleted",
            row.name,
            subject_id=group_id,
            servers=[each.name for each in servers],
            signed_out=ended,
        )
    return ended


def as_csv(actor: Actor, group_id: uuid.UUID) -> tuple[str, str]:
    """The group's name, and its members as CSV text."""
    row = _require(actor, group_id)
    people = session().scalars(_members(group_id))
    return row.name, text_csv.csv_text(("Name", "Email"), ((each.name, each.email) for each in people))


def _require(actor: Actor, group_id: uuid.UUID, *, lock: bool = False) -> Group:
    permissions.require_admin(actor)
    row = session().get(Group, group_id, with_for_update=lock or None)
    if row is None:
        raise NotFoundError("We could not find this group.")
    return row


def _members(group_id: uuid.UUID) -> Select[Member]:
    return (
        select(Member)
        .join(GroupMember, GroupMember.member_id == Member.id)
        .where(GroupMember.group_id == group_id)
        .order_by(Member.name_key, Member.id)
    )


def _servers(group_id: uuid.UUID) -> list[Server]:
    rows = session().scalars(
        select(Server)
        .join(ServerGroup, ServerGroup.server_id == Server.id)
        .where(ServerGroup.group_id == group_id)
        .order_by(Server.name_key)
    )
    return list(rows)


def _end_sign_ins(servers: Iterable[Server]) -> int:
    return sum(end_use_of_unlisted(each.id) for each in servers if each.is_restricted)


def _check(name: str) -> None:
    if problem := name_problem(name):
        raise InvalidError({"name": problem})
