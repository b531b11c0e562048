"""The audit log: who did what, when and from where, written in the same commit as the change."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class AuditEvent(Base):
    """Stores names beside ids, since people and things may be deleted later."""

    __tablename__ = "audit_event"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'refused', 'failed')", name="outcome"),
        Index("ix_audit_event_at", "at"),
        Index("ix_audit_event_matter", "matter_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    action: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(10), default="done")
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str] = mapped_column(String(300))
    address: Mapped[str] = mapped_column(String(60), default="")
    request_id: Mapped[str] = mapped_column(String(60), default="")
    subject_id: Mapped[uuid.UUID | None]
    search_key: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(String(400), default="")
    matter_id: Mapped[uuid.UUID | None]
    server_id: Mapped[uuid.UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
