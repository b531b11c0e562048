"""Documents of a matter, their versions, and the bytes that versions point to."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, new_id, utcnow
from models.members import Member

_BINNED = text("binned_from_id IS NOT NULL")


class Document(Base):
    """The current version is named, not guessed: an older one can be made current (row I5).

    A document in the bin has no `matter_id`, so that no query of a matter finds it: `binned_from_id` has the matter.
    `guest_version_id` is what guests see as the current version; without one there is no such document for them.
    `audience_id` says which guests; without one, all of the matter.
    """

    __tablename__ = "document"
    __table_args__ = (
        Index("ix_document_matter_name_key", "matter_id", "name_key"),
        Index("ix_document_matter_changed", "matter_id", "changed_at"),
        Index("ix_document_binned_from_id", "binned_from_id", sqlite_where=_BINNED, postgresql_where=_BINNED),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    matter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"), nullable=True)
    name: Mapped[str] = mapped_column(String(260))
    name_key: Mapped[str] = mapped_column(String(400), default="")
    current_version_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("version.id", use_alter=True, name="fk_document_current_version_id_version")
    )
    guest_version_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("version.id", use_alter=True, name="fk_document_guest_version_id_version")
    )
    audience_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("audience.id"), index=True)
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    binned_from_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"))
    binned_at: Mapped[datetime | None]
    binned_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id"))

    current_version: Mapped[Version | None] = relationship(
        foreign_keys=[current_version_id], post_update=True
    )


class Version(Base):
    """One state of a document: bytes by their SHA-256, and the file name they came under.

    Guests do not see it while it is held (`held_at`). `released_at` is set when it last was held and released.
    """

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("document_id", "number", name="uq_version_document_number"),
        Index("ix_version_added", "created_by_id", "size"),
        CheckConstraint("origin IN ('upload', 'imanage')", name="origin"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.id", ondelete="CASCADE"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    file_name: Mapped[str] = mapped_column(String(260))
    origin: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    held_at: Mapped[datetime | None]
    held_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id"))
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id"))

    created_by: Mapped[Member] = relationship(lazy="joined", innerjoin=True, foreign_keys=[created_by_id])
