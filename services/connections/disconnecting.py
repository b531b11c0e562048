"""Which transfers would wait if sign-ins to iManage were ended, to show before it is done."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from models import Connection, Member, Server, Transfer
from services.access.permissions import require_admin
from services.access.server_access import known_to
from services.core.actor import Actor
from services.core.unit_of_work import session


@dataclass(frozen=True)
class EndingSignIn:
    """A sign-in to be ended: member, server and how many running `transfers` need it.

    `can_sign_in_again`: the server is on and open to the member.
    """

    member: str
    server: str
    transfers: int
    can_sign_in_again: bool = True


def own(actor: Actor, server_id: uuid.UUID | None = None) -> tuple[EndingSignIn, ...]:
    """The member's own sign-in to one server, or all of them, with the servers' labels as they see them."""
    known = known_to(actor)
    return tuple(
        EndingSignIn(name, known.label(server.id), transfers, known.may_use(server.id))
        for name, server, transfers in _rows(actor.id, server_id)
    )


def of_member(actor: Actor, server_id: uuid.UUID, member_id: uuid.UUID) -> tuple[EndingSignIn, ...]:
    """One member's sign-in to one server, for a System Admin; empty where there is none."""
    require_admin(actor)
    return tuple(
        EndingSignIn(name, server.name, transfers, server.is_enabled)
        for name, server, transfers in _rows(member_id, server_id)
    )


def _rows(member_id: uuid.UUID, server_id: uuid.UUID | None) -> list[tuple[str, Server, int]]:
    under_way = and_(
        Transfer.member_id == Connection.member_id,
        Transfer.server_id == Connection.server_id,
        Transfer.finished_at.is_(None),
        Transfer.cancelled_at.is_(None),
    )
    count = select(func.count()).where(under_way).correlate(Connection).scalar_subquery()
    query = (
        select(Member.name, Server, count)
        .select_from(Connection)
        .join(Member, Member.id == Connection.member_id)
        .join(Server, Server.id == Connection.server_id)
        .where(Connection.member_id == member_id)
        .order_by(Server.name_key)
    )
    if server_id is not None:
        query = query.where(Server.id == server_id)
    return [(name, server, transfers) for name, server, transfers in session().execute(query)]
