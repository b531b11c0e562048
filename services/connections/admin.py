"""Members' sign-ins to iManage for System Admins: who is signed in where, and ending one or all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, func, select

from models import Connection, Member, Server
from services.access.permissions import require_admin
from services.connections.accounts import differs
from services.connections.disconnecting import disconnect_these
from services.core.actor import Actor
from services.core.pagination import Page, paginate
from services.core.text.normalise import ESCAPE, like_pattern, search_words
from services.core.unit_of_work import session
from services.guidance.sign_in_errors import ENDED

PAGE = 100


@dataclass(frozen=True)
class SignIn:
    """One member's sign-in to one server; no token. `why` says why a sign-in has ended."""

    member_id: uuid.UUID
    name: str
    server_id: uuid.UUID
    server_name: str
    is_live: bool
    why: str
    imanage_user: str
    imanage_email: str
    differs: bool
    since: datetime
    renewed: datetime
    renewable: bool


def of_server(actor: Actor, server_id: uuid.UUID, text: str = "", page: int = 1) -> Page[SignIn]:
    """Who is signed in to a server, by name; `text` filters by words of the name or email.

    `total` counts those that the search leaves out, too.
    """
    require_admin(actor)
    query = _all().where(Connection.server_id == server_id)
    for word in search_words(text):
        query = query.where(Member.search_key.like(like_pattern(word), escape=ESCAPE))
    found = paginate(query, page, PAGE, text)
    total = session().scalar(select(func.count()).where(Connection.server_id == server_id)) or 0
    return replace(found.with_rows(_sign_in(*row) for row in found.rows), total=total)


def of_member(actor: Actor, member_id: uuid.UUID) -> tuple[SignIn, ...]:
    """A member's sign-ins to all servers."""
    require_admin(actor)
    found = session().execute(_all().where(Connection.member_id == member_id))
    return tuple(_sign_in(*row) for row in found)


def end(actor: Actor, server_id: uuid.UUID, member_id: uuid.UUID | None = None) -> int:
    """End one member's sign-in to a server, or everybody's; returns how many."""
    require_admin(actor)
    query = select(Connection, Server).join(Server, Server.id == Connection.server_id)
    query = query.where(Server.id == server_id)
    return disconnect_these(
        actor, query if member_id is None else query.where(Connection.member_id == member_id)
    )


def _all() -> Select[Connection, Member, Server]:
    return (
        select(Connection, Member, Server)
        .join(Member, Member.id == Connection.member_id)
        .join(Server, Server.id == Connection.server_id)
        .order_by(Member.name_key, Member.id, Server.name_key)
    )


def _sign_in(row: Connection, member: Member, server: Server) -> SignIn:
    is_live = row.state == "connected"
    return SignIn(
        member_id=member.id,
        name=member.name,
        server_id=server.id,
        server_name=server.name,
        is_live=is_live,
        why="" if is_live else ENDED.get(row.reason, ENDED["could_not_refresh"]),
        imanage_user=row.imanage_user,
        imanage_email=row.imanage_email,
        differs=differs(row.imanage_email, member.email),
        since=row.connected_at,
        renewed=row.refreshed_at,
        renewable=row.refresh_token is not None,
    )
