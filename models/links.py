"""The twins of versions in iManage: links, what was decided about them, and how far their servers were followed.

Unlinking never deletes a link: it ends.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, ForeignNumber, ServerKey, new_id, utcnow

CHECK_EVERY = timedelta(minutes=55)
"""How often a twin is checked where the server does not tell of changes."""
_LIVE = text("ended_at IS NULL")
_UNTOLD = text("ended_at IS NULL AND told_at IS NULL AND state IN ('lost', 'forbidden')")


def _first_check() -> datetime:
    return utcnow() + CHECK_EVERY


class Link(Base):
    """A version here and the one in iManage that it was got from, saved to, or linked with by hand.

    `checksum` is the SHA-256 of the bytes there when the link was made. `latest_version`, `latest_checksum` and `state`
    are of the last check, at `checked_at`, with the sign-in of `checked_by_id`; the next is due at `check_at`.
    `told_at`: when the leads of the matter were told that the twin is out of reach.
    """

    __tablename__ = "link"
    __table_args__ = (
        CheckConstraint("direction IN ('got', 'saved', 'linked')", name="direction"),
        Index("ix_link_source", "server_id", "library_key", "number"),
        Index("ix_link_check", "check_at", "server_id", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_link_untold", "state", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    server_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("server.id", ondelete="CASCADE"))
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("document.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("version.id", ondelete="CASCADE"), index=True)
    direction: Mapped[str] = mapped_column(String(10))
    library: Mapped[str] = mapped_column(String(200))
    library_key: Mapped[str] = mapped_column(String(200))
    number: Mapped[ForeignNumber]
    version: Mapped[ForeignNumber]
    name: Mapped[str] = mapped_column(String(300))
    checksum: Mapped[str] = mapped_column(String(64), default="")
    url: Mapped[str] = mapped_column(Text)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    latest_version: Mapped[ForeignNumber]
    checked_at: Mapped[datetime] = mapped_column(default=utcnow)
    checked_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id"))
    latest_checksum: Mapped[str] = mapped_column(String(64), default="")
    check_at: Mapped[datetime] = mapped_column(default=_first_check)
    state: Mapped[str] = mapped_column(String(20), default="live")
    told_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class DriftDecision(Base):
    """What a person decided about a document that is not in step with its twin; it counts while `seen` is its state.

    `choice`: ignore, or keep, hold or remove for our copy of a twin that is out of reach.
    """

    __tablename__ = "drift_decision"
    __table_args__ = (CheckConstraint("choice IN ('ignore', 'keep', 'hold', 'remove')", name="choice"),)

    document_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("document.id", ondelete="CASCADE"), primary_key=True
    )
    server_id: Mapped[ServerKey]
    seen: Mapped[str] = mapped_column(String(400))
    choice: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500), default="")
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)


class TwinWatch(Base):
    """The lease of the one worker that checks a server's twins."""

    __tablename__ = "twin_watch"

    server_id: Mapped[ServerKey]
    leased_until: Mapped[datetime]


class ChangeCursor(Base):
    """The position in a library's change events up to which they were read; empty before the first poll."""

    __tablename__ = "change_cursor"

    server_id: Mapped[ServerKey]
    library_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    library: Mapped[str] = mapped_column(String(200))
    cursor: Mapped[str] = mapped_column(String(200), default="")
    poll_at: Mapped[datetime] = mapped_column(default=utcnow)
