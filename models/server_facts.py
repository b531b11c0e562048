"""What is known of iManage servers, and the runs that find it out."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, ServerKey, new_id, utcnow


class ServerFact(Base):
    """One fact of imanage/server_facts.py about one server; a fact without a row is assumed.

    `version` is that of iManage when it was measured. A doubted fact is not used: the server contradicted it.
    """

    __tablename__ = "server_facts"
    __table_args__ = (CheckConstraint("source IN ('measured', 'told')", name="source"),)

    server_id: Mapped[ServerKey]
    fact: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    version: Mapped[str] = mapped_column(String(100), default="")
    by: Mapped[str] = mapped_column(String(300), default="")
    is_doubted: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(String(300), default="")


class ServerLearning(Base):
    """A run that measures a server's facts as one System Admin, and every request it sent.

    `folder_id` is the scratch folder, empty for a run that only reads. `left_behind`: what could not be deleted.
    `seen_at` is the heartbeat.
    """

    __tablename__ = "server_learning"
    __table_args__ = (Index("ix_server_learning_server_started", "server_id", "started_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    server_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    member_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    started_by: Mapped[str] = mapped_column(String(300))
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(20), default="")
    sentence: Mapped[str] = mapped_column(String(600), default="")
    folder_id: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[str] = mapped_column(String(100), default="")
    found: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    unknown: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    requests: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    left_behind: Mapped[list[str]] = mapped_column(JSON, default=list)
