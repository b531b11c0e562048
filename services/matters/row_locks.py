"""Rows locked (SELECT … FOR UPDATE) until the unit of work ends. The matter is locked before its documents."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import Document, Matter
from services.access.participation import require_open
from services.core.errors import ConflictError
from services.guidance.refusals import refusal


def locked_matter(writing: Session, matter_id: uuid.UUID, *, even_closed: bool = False) -> Matter:
    """Lock the matter and reread it, so that names in it are given out one at a time.

    Raises ConflictError where it is gone, and unless `even_closed` where it is archived or in the bin.
    """
    matter = writing.scalar(
        select(Matter)
        .where(Matter.id == matter_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if matter is None:
        raise refusal(ConflictError, "matter.gone")
    if not even_closed:
        require_open(matter)
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


def locked_documents(
    writing: Session, matter_id: uuid.UUID, ids: Select[uuid.UUID] | Collection[uuid.UUID]
) -> dict[uuid.UUID, Document]:
    """Lock those of the documents that are in the matter, in the order of their ids."""
    found = writing.scalars(
        select(Document)
        .where(Document.id.in_(ids), Document.matter_id == matter_id)
        .order_by(Document.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {document.id: document for document in found}
