"""Groups of members, which a restricted server can list as a whole."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, MemberKey, ServerKey, new_id, utcnow


class Group(Base):
    """A named set of members of the firm, such as a deal team."""

    __tablename__ = "member_group"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class GroupMember(Base):
    """A member in a group; never a guest or a deactivated member."""

    __tablename__ = "group_member"

    group_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("member_group.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[MemberKey]


class ServerGroup(Base):
    """A group whose members may use a restricted server."""

    __tablename__ = "server_group"

    server_id: Mapped[ServerKey]
    group_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("member_group.id", ondelete="CASCADE"), primary_key=True, index=True
    )
