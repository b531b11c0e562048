"""Checks of servers: each run, the state of the last one, and counts for each day."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, ServerKey, new_id, utcnow


class ServerCheck(Base):
    """`plan` lists the checks, `results` those that have finished. `state` is set at the end.

    `seen_at` is the heartbeat: it moves with every result until the run ends or its process dies.
    """

    __tablename__ = "server_check"
    __table_args__ = (Index("ix_server_check_server_started", "server_id", "started_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    server_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    started_by: Mapped[str] = mapped_column(String(300))
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(20), default="")
    code: Mapped[str] = mapped_column(String(80), default="")
    plan: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class ServerHealth(Base):
    """`state`: not_checked, healthy, warning or failing, `since` when; `code` and `sentence` are the first problem's.

    The next check is due at `due_at`, or at once where the server's `changed_at` is no longer `as_changed_at`.
    """

    __tablename__ = "server_health"

    server_id: Mapped[ServerKey]
    state: Mapped[str] = mapped_column(String(20), default="not_checked")
    since: Mapped[datetime] = mapped_column(default=utcnow)
    checked_at: Mapped[datetime | None]
    code: Mapped[str] = mapped_column(String(80), default="")
    sentence: Mapped[str] = mapped_column(String(600), default="")
    due_at: Mapped[datetime] = mapped_column(default=utcnow)
    as_changed_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class ServerHealthDay(Base):
    """One server on one UTC day: checks by state, and their total seconds."""

    __tablename__ = "server_health_day"

    server_id: Mapped[ServerKey]
    day: Mapped[date] = mapped_column(primary_key=True)
    healthy: Mapped[int] = mapped_column(default=0)
    warning: Mapped[int] = mapped_column(default=0)
    failing: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
