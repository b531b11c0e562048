"""Servers as the Admin System shows them: the list, and one server with its usage."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from models import Connection, Link, Server, Transfer
from services.access import permissions
from services.access.allow_list import counts
from services.core.actor import Actor
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.servers import concurrency, transport
from services.servers.registry import (
    KINDS,
    asks_for_credentials,
    has_own_credentials,
    is_complete,
    require_server,
    version,
)


@dataclass(frozen=True)
class ServerRow:
    """A server in the admin's list."""

    id: uuid.UUID
    name: str
    kind: str
    host: str
    is_practice: bool
    is_enabled: bool
    is_restricted: bool
    listed: int


@dataclass(frozen=True)
class Usage:
    """What depends on a server now."""

    links: int
    signed_in: int
    running: int


@dataclass(frozen=True)
class ServerView:
    """A server for its own page, without the secret."""

    id: uuid.UUID
    kind: str
    kind_label: str
    name: str
    subdomain: str
    url: str
    api_url: str
    client_id: str
    asks_for_credentials: bool
    must_have_credentials: bool
    has_credentials: bool
    is_practice: bool
    is_enabled: bool
    at_once: int
    at_once_today: int
    at_once_because: str
    at_once_since: datetime | None
    pace: int | None
    version: str
    created_at: datetime
    usage: Usage
    redirect_url: str
    outbound_ips: tuple[str, ...]
    route: str
    uses_proxy: bool
    may_bypass_proxy: bool
    proxy: str
    """Host and port of the installation's proxy; "" where there is none."""


def all_servers(actor: Actor) -> tuple[ServerRow, ...]:
    """Every server by name, in one query."""
    permissions.require_admin(actor)
    listed = counts()
    rows = session().execute(
        select(Server, listed.c.listed)
        .outerjoin(listed, listed.c.server_id == Server.id)
        .order_by(Server.name_key)
    )
    return tuple(
        ServerRow(
            id=row.id,
            name=row.name,
            kind=KINDS[row.kind],
            host=row.url.partition("://")[2],
            is_practice=row.is_practice,
            is_enabled=row.is_enabled,
            is_restricted=row.is_restricted,
            listed=count or 0,
        )
        for row, count in rows
    )


def server(actor: Actor, server_id: uuid.UUID) -> ServerView:
    """One server for its page."""
    row = require_server(actor, server_id)
    settings = runtime().settings
    today = concurrency.today(row.id)
    limit = today or concurrency.first(row.created_at)
    return ServerView(
        id=row.id,
        kind=row.kind,
        kind_label=KINDS[row.kind],
        name=row.name,
        subdomain=row.subdomain,
        url=row.url,
        api_url=row.api_url,
        client_id=row.client_id,
        asks_for_credentials=has_own_credentials(row) or asks_for_credentials(row.kind),
        must_have_credentials=asks_for_credentials(row.kind),
        has_credentials=is_complete(row),
        is_practice=row.is_practice,
        is_enabled=row.is_enabled,
        at_once=row.at_once,
        at_once_today=min(limit.at_once, row.at_once),
        at_once_because=concurrency.sentence(limit, row.at_once),
        at_once_since=today.changed_at if today else None,
        pace=row.pace,
        version=version(row),
        created_at=row.created_at,
        usage=usage_of(row.id),
        redirect_url=settings.redirect_url,
        outbound_ips=settings.outbound_ips,
        route=row.route,
        uses_proxy=transport.uses_proxy(row),
        may_bypass_proxy=bool(transport.bypass_of(row)),
        proxy=transport.proxy_address(),
    )


def usage_of(server_id: uuid.UUID) -> Usage:
    """What would be affected by switching the server off or removing it."""
    links = select(func.count()).where(Link.server_id == server_id)
    signed_in = select(func.count()).where(Connection.server_id == server_id)
    running = select(func.count()).where(Transfer.server_id == server_id, Transfer.finished_at.is_(None))
    return Usage(
        *session()
        .execute(select(links.scalar_subquery(), signed_in.scalar_subquery(), running.scalar_subquery()))
        .one()
    )
