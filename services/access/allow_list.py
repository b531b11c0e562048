"""The allow list of a restricted server: members listed by name, and members of listed groups."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Subquery, func, select, union

from models import Group, GroupMember, ServerGroup, ServerMember
from services.core.unit_of_work import session

Column = Any


def is_listed_at(server_id: Column, member_id: Column) -> ColumnElement[bool]:
    """SQL condition: whether the server lists the member, by name or by a group."""
    by_name = select(ServerMember.member_id).where(
        ServerMember.server_id == server_id, ServerMember.member_id == member_id
    )
    by_group = (
        select(GroupMember.member_id)
        .join(ServerGroup, ServerGroup.group_id == GroupMember.group_id)
        .where(ServerGroup.server_id == server_id, GroupMember.member_id == member_id)
    )
    return by_name.exists() | by_group.exists()


def servers_of(member_id: uuid.UUID) -> CompoundSelect[uuid.UUID]:
    """The servers that list this member."""
    return union(
        select(ServerMember.server_id).where(ServerMember.member_id == member_id),
        select(ServerGroup.server_id)
        .join(GroupMember, GroupMember.group_id == ServerGroup.group_id)
        .where(GroupMember.member_id == member_id),
    )


def members_of(server_id: Column) -> CompoundSelect[uuid.UUID]:
    """The members that this server lists, without duplicates."""
    return union(
        select(ServerMember.member_id).where(ServerMember.server_id == server_id),
        select(GroupMember.member_id)
        .join(ServerGroup, ServerGroup.group_id == GroupMember.group_id)
        .where(ServerGroup.server_id == server_id),
    )


def counts() -> Subquery:
    """Subquery with `server_id` and `listed`, the number of different members that the server lists."""
    pairs = union(
        select(ServerMember.server_id, ServerMember.member_id),
        select(ServerGroup.server_id, GroupMember.member_id).join(
            GroupMember, GroupMember.group_id == ServerGroup.group_id
        ),
    ).subquery()
    return select(pairs.c.server_id, func.count().label("listed")).group_by(pairs.c.server_id).subquery()


def is_listed(member_id: uuid.UUID, server_id: uuid.UUID) -> bool:
    return bool(session().scalar(select(is_listed_at(server_id, member_id))))


def listings(member_id: uuid.UUID, server_id: uuid.UUID) -> tuple[str, ...]:
    """How the member is listed, in words: "by name", "by the group Deal team"."""
    by_name = session().get(ServerMember, (server_id, member_id)) is not None
    groups = session().scalars(
        select(Group.name)
        .join(GroupMember, GroupMember.group_id == Group.id)
        .join(ServerGroup, ServerGroup.group_id == Group.id)
        .where(ServerGroup.server_id == server_id, GroupMember.member_id == member_id)
        .order_by(Group.name_key)
    )
    return (*(["by name"] if by_name else []), *(f"by the group {name}" for name in groups))
