"""Re-points: the links of one server that moved to another, with what is needed to undo it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class Repoint(Base):
    """A preview; once confirmed, `moved_at` is set, and `undone_at` if it was undone.

    `libraries` maps each folded library of the source to the library's name on the target; `samples` are the
    documents read there. `was_enabled` is whether the source was enabled before.
    """

    __tablename__ = "repoint"
    __table_args__ = (Index("ix_repoint_source", "source_id", "moved_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    source_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    target_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"), index=True)
    libraries: Mapped[dict[str, str]] = mapped_column(JSON)
    samples: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    link_count: Mapped[int]
    copies_restriction: Mapped[bool] = mapped_column(default=False)
    previewed_by: Mapped[str] = mapped_column(String(200))
    previewed_at: Mapped[datetime] = mapped_column(default=utcnow)
    was_enabled: Mapped[bool] = mapped_column(default=False)
    moved_by: Mapped[str] = mapped_column(String(200), default="")
    moved_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class RepointedLink(Base):
    """What a link that moved was before; deleted once it went back, or can no longer."""

    __tablename__ = "repointed_link"

    link_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("link.id", ondelete="CASCADE"), primary_key=True)
    repoint_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("repoint.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    library: Mapped[str] = mapped_column(String(200))
    library_key: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
