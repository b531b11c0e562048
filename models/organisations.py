"""Organisations outside the firm, audiences: which of them may see a document, and who has confirmed that they may."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, MemberKey, folded, new_id, utcnow


class Organisation(Base):
    """Where guests come from, such as the other side's solicitors. The firm's own members have none."""

    __tablename__ = "organisation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(folded(400), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Audience(Base):
    """Who may see a document, other than the firm's members: all guests of the matter, or those of its organisations.

    Without organisations it is the firm's members only. A document that names no audience has that of its matter,
    which is everybody.
    """

    __tablename__ = "audience"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    matter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"), index=True)
    is_everybody: Mapped[bool] = mapped_column(default=False)


class AudienceOrganisation(Base):
    """An organisation in an audience."""

    __tablename__ = "audience_organisation"

    audience_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("audience.id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ExposureConfirmation(Base):
    """A member has confirmed that these guests may see what arrives in a matter. `readers_key` is a digest of them."""

    __tablename__ = "exposure_confirmation"

    matter_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("matter.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[MemberKey]
    readers_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
