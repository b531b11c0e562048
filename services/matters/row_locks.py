"""Rows locked (SELECT … FOR UPDATE) until the unit of work ends. The matter is locked before its documents."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Document, Matter
from services.core.errors import ConflictError
from services.guidance.refusals import refusal


def locked_matter(writing: Session, matter_id: uuid.UUID) -> Matter:
    """Lock the matter and reread it, so that names in it are given out one at a time."""
    matter = writing.scalar(
        select(Matter)
        .where(Matter.id == matter_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if matter is None:
        raise refusal(ConflictError, "matter.gone")
    return matter


def locked_document(writing: Session, matter_id: uuid.UUID, document_id: uuid.UUID) -> Document:
    document = writing.scalar(
        select(Document)
        .where(Document.id == document_id, Document.matter_id == matter_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if document is None:
        raise refusal(ConflictError, "document.gone")
    return document
