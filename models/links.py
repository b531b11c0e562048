"""The twin of a version in iManage. Links are never deleted by unlinking, only ended."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, ForeignNumber, new_id, utcnow


class Link(Base):
    __tablename__ = "link"
    __table_args__ = (
        CheckConstraint("direction IN ('got', 'saved')", name="direction"),
        Index("ix_link_source", "server_id", "library_key", "number"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    server_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("version.id", ondelete="CASCADE"), index=True)
    direction: Mapped[str] = mapped_column(String(10))
    library: Mapped[str] = mapped_column(String(200))
    library_key: Mapped[str] = mapped_column(String(200))
    number: Mapped[ForeignNumber]
    version: Mapped[ForeignNumber]
    name: Mapped[str] = mapped_column(String(300))
    checksum: Mapped[str] = mapped_column(String(64), default="")
    url: Mapped[str] = mapped_column(Text)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    latest_version: Mapped[ForeignNumber]
    checked_at: Mapped[datetime] = mapped_column(default=utcnow)
    state: Mapped[str] = mapped_column(String(20), default="live")
    ended_at: Mapped[datetime | None]
