"""Runs of a server's checks, one row each."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


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
