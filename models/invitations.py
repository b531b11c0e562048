"""Invitations: who may create an account with a link, until when, and how it ended."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, folded, new_id, utcnow

_OPEN = text("ended_at IS NULL")


class Invitation(Base):
    """One link, of which only the hash is stored. Each person has at most one open. Its mail has its id."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("uq_invitation_open", "email_key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_invitation_created_at", "created_at"),
        Index("ix_invitation_invited_by_id", "invited_by_id"),
        CheckConstraint("ended_as IN ('', 'used', 'withdrawn', 'replaced')", name="ended_as"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(folded(320))
    name: Mapped[str] = mapped_column(String(200), default="")
    organisation: Mapped[str] = mapped_column(String(200), default="")
    is_guest: Mapped[bool] = mapped_column(default=False)
    invited_by: Mapped[str] = mapped_column(String(200))
    invited_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    member_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str] = mapped_column(String(20), default="")
