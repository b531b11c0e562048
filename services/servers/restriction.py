"""Restricting a server to specific members and groups, such as for a pilot."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, select

from models import Connection, Group, GroupMember, Member, OAuthState, Server, ServerGroup, ServerMember
from services.access import permissions
from services.access.allow_list import members_of
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.directory.people import Person, person_of, search_people
from services.servers.registry import locked, require_server

MOST_RESULTS = 20


@dataclass(frozen=True)
class GroupRow:
    """A group that is or could be listed: its number of members, and in the list of groups the servers that list it."""

    id: uuid.UUID
    name: str
    members: int
    servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class RestrictionView:
    """The stored restriction. `version` changes with it and with nothing else.

    `groups` are the listed ones of `all_groups`; `listed` counts the members by name or group, each once.
    """

    is_restricted: bool
    people: tuple[Person, ...]
    groups: tuple[GroupRow, ...]
    all_groups: tuple[GroupRow, ...]
    listed: int
    version: str


@dataclass(frozen=True)
class RestrictionChange:
    """The switch and the whole list, to replace the state with this `version`."""

    is_restricted: bool
    member_ids: tuple[uuid.UUID, ...]
    version: str
    group_ids: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True)
class RestrictionSaved:
    """The result of a save; `signed_out` sign-ins were deleted."""

    changed: bool
    is_restricted: bool
    listed: int
    signed_out: int = 0


def restriction(actor: Actor, server_id: uuid.UUID) -> RestrictionView:
    row = require_server(actor, server_id)
    by_name = select(Member).join(ServerMember, ServerMember.member_id == Member.id)
    people = _persons(by_name.where(ServerMember.server_id == server_id))
    every = groups_by_name()
    chosen = _listed_groups(server_id) if every else set()
    groups = tuple(each for each in every if each.id in chosen)
    version = _version(row, {each.id for each in people} | chosen)
    return RestrictionView(row.is_restricted, people, groups, every, _count(server_id), version)


def find_people(actor: Actor, text: str, chosen: Iterable[uuid.UUID] = ()) -> tuple[Person, ...]:
    """The first MOST_RESULTS active members by name or email; no guests, none of the chosen."""
    permissions.require_admin(actor)
    left_out = set(chosen)
    found = search_people(actor, text, staff_only=True, limit=MOST_RESULTS + len(left_out))
    return tuple(each for each in found if each.id not in left_out)[:MOST_RESULTS]


def people(actor: Actor, member_ids: Iterable[uuid.UUID]) -> tuple[Person, ...]:
    """These members by name, for a list that is not saved yet; unknown ids are ignored."""
    permissions.require_admin(actor)
    return _people(set(member_ids))


def save(actor: Actor, server_id: uuid.UUID, wanted: RestrictionChange) -> RestrictionSaved:
    """Apply switch and list together; sign-ins of members who may no longer use the server end at once."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        row = locked(server_id)
        before, groups_before = _listed_ids(server_id), _listed_groups(server_id)
        if _version(row, before | groups_before) != wanted.version:
            raise InvalidError({"form": _conflict_sentence(row, before, groups_before)})
        after = _allowed(set(wanted.member_ids), before)
        groups_after = {each.id for each in groups_by_name(set(wanted.group_ids))}
        if (row.is_restricted, before, groups_before) == (wanted.is_restricted, after, groups_after):
            return RestrictionSaved(False, row.is_restricted, _count(server_id))
        row.is_restricted = wanted.is_restricted
        gone = ServerMember.member_id.in_(before - after)
        writing.execute(delete(ServerMember).where(ServerMember.server_id == server_id, gone))
        writing.add_all(ServerMember(server_id=server_id, member_id=each) for each in after - before)
        lost = ServerGroup.group_id.in_(groups_before - groups_after)
        writing.execute(delete(ServerGroup).where(ServerGroup.server_id == server_id, lost))
        writing.add_all(
            ServerGroup(server_id=server_id, group_id=each) for each in groups_after - groups_before
        )
        writing.flush()
        signed_out = end_use_of_unlisted(server_id) if row.is_restricted else 0
        count = _count(server_id)
        audit.record(
            actor,
            "server.restriction_changed",
            row.name,
            subject_id=server_id,
            server_id=server_id,
            restricted=row.is_restricted,
            listed=count,
            added=[each.email for each in _people(after - before)],
            removed=[each.email for each in _people(before - after)],
            added_groups=[each.name for each in groups_by_name(groups_after - groups_before)],
            removed_groups=[each.name for each in groups_by_name(groups_before - groups_after)],
            signed_out=signed_out,
        )
    return RestrictionSaved(True, wanted.is_restricted, count, signed_out)


def end_use_of_unlisted(server_id: uuid.UUID) -> int:
    """Delete stored and pending sign-ins of all who are not listed; returns how many were stored."""
    listed = members_of(server_id)
    session().execute(
        delete(OAuthState).where(OAuthState.server_id == server_id, OAuthState.member_id.not_in(listed))
    )
    ended = session().scalars(
        delete(Connection)
        .where(Connection.server_id == server_id, Connection.member_id.not_in(listed))
        .returning(Connection.id)
    )
    return len(ended.all())


def _allowed(wanted: set[uuid.UUID], before: set[uuid.UUID]) -> set[uuid.UUID]:
    """The known ids. Newly listed members must be able to use the server; others may stay."""
    known = _people(wanted)
    refused = [each.name for each in known if each.note and each.id not in before]
    if refused:
        raise InvalidError({"form": f"You can only list active members. Remove {', '.join(refused)}."})
    return {each.id for each in known}


def _listed_ids(server_id: uuid.UUID) -> set[uuid.UUID]:
    return set(session().scalars(select(ServerMember.member_id).where(ServerMember.server_id == server_id)))


def _listed_groups(server_id: uuid.UUID) -> set[uuid.UUID]:
    return set(session().scalars(select(ServerGroup.group_id).where(ServerGroup.server_id == server_id)))


def groups_by_name(group_ids: set[uuid.UUID] | None = None) -> tuple[GroupRow, ...]:
    """These groups, or all, by name."""
    if group_ids is not None and not group_ids:
        return ()
    query = (
        select(Group.id, Group.name, func.count(GroupMember.member_id))
        .outerjoin(GroupMember, GroupMember.group_id == Group.id)
        .group_by(Group.id, Group.name, Group.name_key)
        .order_by(Group.name_key)
    )
    if group_ids is not None:
        query = query.where(Group.id.in_(group_ids))
    return tuple(GroupRow(*row) for row in session().execute(query))


def _count(server_id: uuid.UUID) -> int:
    return session().scalar(select(func.count()).select_from(members_of(server_id).subquery())) or 0


def _people(member_ids: set[uuid.UUID]) -> tuple[Person, ...]:
    return _persons(select(Member).where(Member.id.in_(member_ids))) if member_ids else ()


def _persons(query: Select[Member]) -> tuple[Person, ...]:
    return tuple(person_of(row) for row in session().scalars(query.order_by(Member.name_key, Member.id)))


def _version(row: Server, listed: set[uuid.UUID]) -> str:
    state = [str(row.is_restricted), *sorted(map(str, listed))]
    return hashlib.sha256(" ".join(state).encode()).hexdigest()[:16]


def _conflict_sentence(row: Server, listed: set[uuid.UUID], groups: set[uuid.UUID]) -> str:
    named = [*(each.name for each in _people(listed)), *(each.name for each in groups_by_name(groups))]
    names = ", ".join(named) or "nobody"
    now = f"restricted to {names}" if row.is_restricted else "open to all members"
    return (
        f"Someone else has changed this since you opened it: the server is now {now}. "
        "Save again to replace their change with yours."
    )
