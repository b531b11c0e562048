"""Matters and who takes part in them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, MemberKey, new_id, utcnow
from models.members import Member

_ORPHANED = text("orphaned_since IS NOT NULL")
_BINNED = text("binned_at IS NOT NULL")
_IN_FORCE = text("ended_at IS NULL")
_ENDS = text("until IS NOT NULL")


class Matter(Base):
    """`orphaned_since`: when its last lead was deactivated; None while it has a lead.

    `archived_at`: read-only since then. `binned_at`: in the bin since then, where only its leads find it.
    """

    __tablename__ = "matter"
    __table_args__ = (
        Index(
            "ix_matter_orphaned_since",
            "orphaned_since",
            sqlite_where=_ORPHANED,
            postgresql_where=_ORPHANED,
        ),
        Index("ix_matter_binned_at", "binned_at", sqlite_where=_BINNED, postgresql_where=_BINNED),
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
    archived_at: Mapped[datetime | None]
    binned_at: Mapped[datetime | None]
    binned_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id"))


class Participant(Base):
    """A member's role in a matter; services/access/roles.py says what each role may do.

    `until`: when a guest's access ends. `reminded_at`: when the leads were told that it ends soon. `pinned_at`: since
    when the matter is above the others in the member's list.
    """

    __tablename__ = "participant"
    __table_args__ = (
        CheckConstraint("role IN ('lead', 'editor', 'viewer')", name="role"),
        Index("ix_participant_until", "until", sqlite_where=_ENDS, postgresql_where=_ENDS),
    )

    matter_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("matter.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[MemberKey]
    role: Mapped[str] = mapped_column(String(10))
    added_at: Mapped[datetime] = mapped_column(default=utcnow)
    until: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    pinned_at: Mapped[datetime | None]

    member: Mapped[Member] = relationship(lazy="joined", innerjoin=True)
    matter: Mapped[Matter] = relationship()


class Undertaking(Base):
    """A text that guests accept before they enter a matter. A changed text is a new row with the next number."""

    __tablename__ = "undertaking"
    __table_args__ = (
        UniqueConstraint("matter_id", "number"),
        Index(
            "uq_undertaking_in_force",
            "matter_id",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    matter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]

    created_by: Mapped[Member] = relationship(lazy="joined", innerjoin=True)


class Acceptance(Base):
    """A guest accepted an undertaking: when, and under which name, address and organisation."""

    __tablename__ = "acceptance"

    undertaking_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("undertaking.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[MemberKey]
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    organisation: Mapped[str] = mapped_column(String(200))
    accepted_at: Mapped[datetime] = mapped_column(default=utcnow)

    undertaking: Mapped[Undertaking] = relationship(lazy="joined", innerjoin=True)
