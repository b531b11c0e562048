"""Who would lose access to a server by changing its restriction or a listed group, to show before it is done."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from models import Connection, GroupMember, Member, Server, ServerGroup, ServerMember, Transfer
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.core.unit_of_work import session
from services.guidance.refusals import worded
from services.servers.registry import require_server
from services.servers.restriction import RestrictionChange

NAMED = 10


@dataclass(frozen=True)
class Loss:
    """The effect on one server: `count` members lose access (the first by name), `kept` keep it.

    `signed_in` sign-ins end, and `running` transfers stop at their next step.
    """

    server: str
    names: tuple[str, ...]
    count: int
    kept: int
    signed_in: int
    running: int
    is_enabled: bool

    @property
    def matters(self) -> bool:
        """Whether to ask first. While a server is off, only sign-ins and transfers matter."""
        return bool(self.signed_in or self.running or (self.is_enabled and self.count))


class WouldLoseAccessError(RefusedError):
    """The admin has to confirm, having seen who is affected."""

    def __init__(self, losses: tuple[Loss, ...]) -> None:
        super().__init__(**worded("server.would_lose"))
        self.losses = losses


def require_no_loss(losses: Collection[Loss], *, is_sure: bool) -> None:
    """Raises WouldLoseAccessError unless the admin has confirmed."""
    relevant = tuple(loss for loss in losses if loss.matters)
    if relevant and not is_sure:
        raise WouldLoseAccessError(relevant)


def by_restriction(actor: Actor, server_id: uuid.UUID, wanted: RestrictionChange) -> tuple[Loss, ...]:
    """The loss from saving this restriction."""
    row = require_server(actor, server_id)
    if not wanted.is_restricted:
        return ()
    after = set(wanted.member_ids) | _in_groups(wanted.group_ids)
    return (_loss(row, after),)


def by_leaving(actor: Actor, group_id: uuid.UUID, member_id: uuid.UUID | None = None) -> tuple[Loss, ...]:
    """The losses if this member left the group, or, without a member, if the group were deleted."""
    permissions.require_admin(actor)
    servers = session().scalars(
        select(Server)
        .join(ServerGroup, ServerGroup.server_id == Server.id)
        .where(ServerGroup.group_id == group_id, Server.is_restricted)
        .order_by(Server.name_key)
    )
    leaving = {member_id} if member_id else _in_groups((group_id,))
    return tuple(_loss(row, _listed(row.id, group_id=group_id, leaving=leaving)) for row in servers.all())


def _listed(server_id: uuid.UUID, *, group_id: uuid.UUID, leaving: set[uuid.UUID]) -> set[uuid.UUID]:
    """Who is still listed after these have left the group `group_id`: by name or through a group."""
    by_name = session().scalars(select(ServerMember.member_id).where(ServerMember.server_id == server_id))
    groups = set(session().scalars(select(ServerGroup.group_id).where(ServerGroup.server_id == server_id)))
    staying = _in_groups((group_id,)) - leaving if group_id in groups else set()
    return set(by_name) | _in_groups(groups - {group_id}) | staying


def _in_groups(group_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    if not group_ids:
        return set()
    return set(
        session().scalars(select(GroupMember.member_id).where(GroupMember.group_id.in_(set(group_ids))))
    )


def _loss(row: Server, after: set[uuid.UUID]) -> Loss:
    usable = select(Member.id).where(Member.is_active, Member.is_guest.is_(False))
    staff = set(session().scalars(usable))
    before = staff
    if row.is_restricted:
        by_name = session().scalars(select(ServerMember.member_id).where(ServerMember.server_id == row.id))
        groups = session().scalars(select(ServerGroup.group_id).where(ServerGroup.server_id == row.id))
        before = staff & (set(by_name) | _in_groups(groups.all()))
    lost = before - after
    signed_in = set(session().scalars(select(Connection.member_id).where(Connection.server_id == row.id)))
    running = session().execute(
        select(Transfer.member_id, func.count())
        .where(Transfer.server_id == row.id, Transfer.finished_at.is_(None))
        .group_by(Transfer.member_id)
    )
    return Loss(
        server=row.name,
        names=_first_names(lost, signed_in),
        count=len(lost),
        kept=len(staff & after),
        signed_in=len(signed_in - after),
        running=sum(count for member_id, count in running if member_id not in after),
        is_enabled=row.is_enabled,
    )


def _first_names(lost: set[uuid.UUID], signed_in: set[uuid.UUID]) -> tuple[str, ...]:
    """Those who are signed in first."""
    names: list[str] = []
    for some in (lost & signed_in, lost - signed_in):
        if some and len(names) < NAMED:
            query = select(Member.name).where(Member.id.in_(some)).order_by(Member.name_key, Member.id)
            names += session().scalars(query.limit(NAMED - len(names)))
    return tuple(names)
