"""What the pop-ups of Get and Save remember of workspaces in iManage: that of a matter, and profiles."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, MemberKey, ServerKey, utcnow


class MatterWorkspace(Base):
    """The workspace in which the pop-ups of a matter open, on one server.

    An empty `workspace_id`: there is none, and the one with the matter's numbers is not offered again.
    """

    __tablename__ = "matter_workspace"

    matter_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("matter.id", ondelete="CASCADE"), primary_key=True
    )
    server_id: Mapped[ServerKey]
    workspace_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(300))
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class WorkspaceProfile(Base):
    """The profile, by iManage's names of the fields, with which a member last saved a new document to a workspace."""

    __tablename__ = "workspace_profile"

    member_id: Mapped[MemberKey]
    server_id: Mapped[ServerKey]
    workspace_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    profile: Mapped[dict[str, str]] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
