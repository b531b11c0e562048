"""Matters and who takes part in them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, MemberKey, new_id, utcnow
from models.members import Member

_ORPHANED = text("orphaned_since IS NOT NULL")


class Matter(Base):
    """`orphaned_since`: when its last lead was deactivated; None while it has a lead."""

    __tablename__ = "matter"
    __table_args__ = (
        Index(
            "ix_matter_orphaned_since",
            "orphaned_since",
            sqlite_where=_ORPHANED,
            postgresql_where=_ORPHANED,
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    client_number: Mapped[str] = mapped_column(String(50), default="")
    matter_number: Mapped[str] = mapped_column(String(50), default="")
    search_key: Mapped[str] = mapped_column(String(1500), default="")
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    orphaned_since: Mapped[datetime | None]


class Participant(Base):
    """A member's place in a matter. Leads manage people, editors change documents, viewers read."""

    __tablename__ = "participant"
    __table_args__ = (CheckConstraint("role IN ('lead', 'editor', 'viewer')", name="role"),)

    matter_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("matter.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[MemberKey]
    role: Mapped[str] = mapped_column(String(10))
    added_at: Mapped[datetime] = mapped_column(default=utcnow)

    member: Mapped[Member] = relationship(lazy="joined", innerjoin=True)
    matter: Mapped[Matter] = relationship()
