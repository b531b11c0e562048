"""Application packages: the contents of each, and its encrypted keys for 15 minutes."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class ApplicationPackage(Base):
    """The hashes of key and secret stay; `sealed`, the encrypted keys, is emptied after `open_until`.

    `settled_at`: an admin confirmed that the redirect URL was changed in iManage, or that the package is not used.
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
