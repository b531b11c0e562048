"""iManage servers, their circuit breakers, their restrictions, and removed servers."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, MemberKey, ServerKey, new_id, utcnow


class Server(Base):
    """Kind, URL, API URL and subdomain never change: tokens belong to the address that issued them.

    `redirect_url` is ours as registered in iManage, as far as we know. `ca_pem` holds the firm's own authorities,
    trusted for this server beside the public ones. `is_practice` marks the bundled practice iManage. `route`: through
    the installation's outbound proxy or not, or as its settings say. `pace`: documents a minute for each member, None
    for no limit. `facts_changed_at`: when its rows in `server_facts` last changed, None without any.
    """

    __tablename__ = "server"
    __table_args__ = (
        CheckConstraint("kind IN ('cloud', 'on_premise')", name="kind"),
        CheckConstraint("route IN ('default', 'direct', 'proxy')", name="route"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(200), unique=True)
    subdomain: Mapped[str] = mapped_column(String(63), default="")
    url: Mapped[str] = mapped_column(String(300), unique=True)
    api_url: Mapped[str] = mapped_column(String(300))
    client_id: Mapped[str] = mapped_column(String(200))
    client_secret: Mapped[str] = mapped_column(Text)
    redirect_url: Mapped[str] = mapped_column(String(500), default="")
    ca_pem: Mapped[str | None] = mapped_column(Text)
    route: Mapped[str] = mapped_column(String(20), default="default")
    is_practice: Mapped[bool] = mapped_column(default=False)
    is_enabled: Mapped[bool] = mapped_column(default=False)
    is_restricted: Mapped[bool] = mapped_column(default=False)
    at_once: Mapped[int] = mapped_column(default=16)
    pace: Mapped[int | None]
    facts_changed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class ServerCircuit(Base):
    """The circuit breaker of one server, for all workers; no row is a closed circuit without failures.

    Open until `open_until`, then half-open; `code` and `sentence` are those of the last failure.
    """

    __tablename__ = "server_circuit"

    server_id: Mapped[ServerKey]
    open_until: Mapped[datetime | None]
    code: Mapped[str] = mapped_column(String(80), default="")
    sentence: Mapped[str] = mapped_column(String(600), default="")
    failures: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime] = mapped_column(default=utcnow)


class ServerConcurrency(Base):
    """How many documents of one server move at a time today, for all workers: services/servers/concurrency.py."""

    __tablename__ = "server_concurrency"

    server_id: Mapped[ServerKey]
    at_once: Mapped[int]
    too_many: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(20), default="")
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class MemberPace(Base):
    """When the next document of a member may begin at a server with a pace."""

    __tablename__ = "member_pace"

    server_id: Mapped[ServerKey]
    member_id: Mapped[MemberKey]
    next_at: Mapped[datetime]


class ServerMember(Base):
    """A member who may use a restricted server."""

    __tablename__ = "server_member"

    server_id: Mapped[ServerKey]
    member_id: Mapped[MemberKey]


class ServerRemoval(Base):
    """A removed server, with its links as CSV."""

    __tablename__ = "server_removal"
    __table_args__ = (Index("ix_server_removal_removed_at", "removed_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(300))
    removed_by: Mapped[str] = mapped_column(String(200))
    removed_at: Mapped[datetime] = mapped_column(default=utcnow)
    link_count: Mapped[int]
    links_csv: Mapped[str] = mapped_column(Text)
