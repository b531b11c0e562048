"""The keys that sign receipts. Old ones stay, so that their receipts can be verified."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class SigningKey(Base):
    """An Ed25519 key pair: the public part in base64, the private one encrypted, or None once it is no longer used."""

    __tablename__ = "signing_key"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_key: Mapped[str] = mapped_column(String(44), unique=True)
    private_key: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    retired_at: Mapped[datetime | None]
