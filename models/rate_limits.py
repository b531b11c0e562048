"""Counters of rate limits, shared by all processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class RateCount(Base):
    """`key` names the kind, the member and the window; rows are deleted after `ends_at`."""

    __tablename__ = "rate_count"
    __table_args__ = (Index("ix_rate_count_ends_at", "ends_at"),)

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    ends_at: Mapped[datetime]
