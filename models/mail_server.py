"""What is known of the installation's mail server: one row, shared by all processes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class MailServerState(Base):
    """`code` is empty while mail is sent; else why not, since `failing_since`. `takes_utf8`: SMTPUTF8, once seen."""

    __tablename__ = "mail_server_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    next_step: Mapped[str] = mapped_column(String(300), default="")
    failing_since: Mapped[datetime | None]
    takes_utf8: Mapped[bool | None]
