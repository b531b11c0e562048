"""Members and guests, their sessions, failed sign-ins, and the installation itself."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, folded, new_id, utcnow


class Member(Base):
    """A person who can sign in. A guest belongs to another organisation: `organisation_id`, under its name."""

    __tablename__ = "member"
    __table_args__ = (
        Index("ix_member_by_name", "name_key", "email_key", "is_active", "is_guest", "is_admin"),
        # Partial indexes, so that lists of these few do not scan all members.
        *(
            Index(
                f"ix_member_{few}",
                "name_key",
                "email_key",
                sqlite_where=text(on_sqlite),
                postgresql_where=text(on_postgresql),
            )
            for few, on_sqlite, on_postgresql in (
                ("admins", "is_admin = 1", "is_admin"),
                ("guests", "is_guest = 1", "is_guest"),
                ("deactivated", "is_active = 0", "NOT is_active"),
            )
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(folded(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(folded(400))
    search_key: Mapped[str] = mapped_column(folded(1100))
    organisation: Mapped[str] = mapped_column(String(200), default="")
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    is_admin: Mapped[bool] = mapped_column(default=False)
    is_guest: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    wants_mail: Mapped[bool] = mapped_column(default=True)
    wants_health_mail: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    deactivated_at: Mapped[datetime | None]
    sign_in_slowed_at: Mapped[datetime | None]


class SignInSession(Base):
    """The session of one browser. `ended_at` ends it, whatever the cookie says.

    While both `viewed_` columns are set, the person looks at this matter as this guest does.
    """

    __tablename__ = "sign_in_session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]
    viewed_as_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    viewed_matter_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("matter.id", ondelete="SET NULL"))

    member: Mapped[Member] = relationship(lazy="joined", innerjoin=True, foreign_keys=[member_id])


class SignInAttempt(Base):
    """A failed sign-in, counted by services.auth.login_throttle for all web processes."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_key_at", "key", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(default=utcnow)


class Installation(Base):
    """One row about the installation: its set-up code until it has a System Admin, and its encryption key.

    `sealing_key` is the fingerprint of the current encryption key: a process without that key must not start.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    setup_code_hash: Mapped[str | None] = mapped_column(String(200))
    set_up_at: Mapped[datetime | None]
    sealing_key: Mapped[str | None] = mapped_column(String(64))
    sealing_key_since: Mapped[datetime | None]
