"""Members' sign-ins to servers, and pending sign-ins."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id, utcnow


class Connection(Base):
    """Tokens are encrypted and bound to the row's id; only services.connections decrypts them.

    `refreshing_until` is the lease of the process that renews the token; no lock is held during the call to iManage.
    """

    __tablename__ = "connection"
    __table_args__ = (
        UniqueConstraint("server_id", "member_id", name="uq_connection_server_member"),
        CheckConstraint("state IN ('connected', 'sign_in_again')", name="state"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    server_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(20), default="connected")
    reason: Mapped[str] = mapped_column(String(500), default="")
    access_token: Mapped[str] = mapped_column(Text)
    refresh_token: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    imanage_user: Mapped[str] = mapped_column(String(200))
    imanage_name: Mapped[str] = mapped_column(String(300), default="")
    imanage_email: Mapped[str] = mapped_column(String(320), default="")
    base_url: Mapped[str] = mapped_column(String(500))
    preferred_library: Mapped[str] = mapped_column(String(200), default="")
    connected_at: Mapped[datetime] = mapped_column(default=utcnow)
    refreshed_at: Mapped[datetime] = mapped_column(default=utcnow)
    refreshing_until: Mapped[datetime | None]


class OAuthState(Base):
    """A pending sign-in, bound to session, member and server; valid once, for ten minutes."""

    __tablename__ = "oauth_state"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sign_in_session.id", ondelete="CASCADE"))
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    server_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    server_changed_at: Mapped[datetime]
    verifier: Mapped[str] = mapped_column(Text)
    return_to: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    used_at: Mapped[datetime | None]
