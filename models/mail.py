"""The outbox of emails, written in the commit that causes them, and the state of the mail server."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class Mail(Base):
    """One email to one reader. Its text is composed when it is sent, with what its reader may know then.

    `kind`: transfer, about one transfer; health, about one server to one member, where `about` is the occasion;
    sign_in, about failed sign-ins, where `about` is the client's address; invitation, with the invitation's id;
    access_ends, about a guest's access to a matter, where `about` has the ids of both.
    """

    __tablename__ = "mail"
    __table_args__ = (
        Index("ix_mail_due", "closed_at", "due_at"),
        UniqueConstraint("server_id", "member_id", "about"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(20), default="transfer")
    transfer_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("transfer.id", ondelete="CASCADE"), unique=True
    )
    server_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    member_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    about: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    due_at: Mapped[datetime] = mapped_column(default=utcnow)
    attempt: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(300), default="")


class MailServerState(Base):
    """`code`: why no email is sent since `failing_since`, or empty. `takes_utf8`: SMTPUTF8, None if unknown."""

    __tablename__ = "mail_server_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    next_step: Mapped[str] = mapped_column(String(300), default="")
    failing_since: Mapped[datetime | None]
    takes_utf8: Mapped[bool | None]
