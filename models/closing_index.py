"""The closing index of a matter."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, new_id


class IndexRow(Base):
    """A heading, or a document. A row without `document_id` that is no heading is to follow."""

    __tablename__ = "index_row"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    matter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    is_heading: Mapped[bool] = mapped_column(default=False)
    document_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("document.id", ondelete="SET NULL"), index=True
    )
