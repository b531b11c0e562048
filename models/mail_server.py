"""The state of the mail server: one row, shared by all processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class MailServerState(Base):
    """`code`: why no email is sent since `failing_since`, or empty. `takes_utf8`: SMTPUTF8, None if unknown."""

    __tablename__ = "mail_server_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    next_step: Mapped[str] = mapped_column(String(300), default="")
    failing_since: Mapped[datetime | None]
    takes_utf8: Mapped[bool | None]
