"""Application packages for iManage that were made here: what each said, and its key for a quarter of an hour."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class ApplicationPackage(Base):
    """Key and secret stand here as hashes, so that neither is made twice; `sealed` is empty once `open_until` is over.

    `settled_at`: an admin has said that the redirect URL no longer matters, or is changed in iManage.
    """

    __tablename__ = "application_package"
    __table_args__ = (Index("ix_application_package_made_at", "made_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    request_key: Mapped[uuid.UUID] = mapped_column(unique=True)
    application_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    publisher: Mapped[str] = mapped_column(String(100))
    organization: Mapped[str] = mapped_column(String(100))
    redirect_url: Mapped[str] = mapped_column(String(500))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[str] = mapped_column(Text, default="")
    open_until: Mapped[datetime]
    made_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    server_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("server.id", ondelete="SET NULL"))
    settled_at: Mapped[datetime | None]
