"""Duplicate files in a matter: reported, never refused."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from models import Document, Version
from services.access import permissions
from services.core.actor import Actor
from services.core.unit_of_work import session
from services.matters import visibility


def same_bytes_here(
    actor: Actor, matter_id: uuid.UUID, sha256: str, but_document_id: uuid.UUID | None
) -> str | None:
    """Names the newest version with these bytes that the actor may see in another document of the matter, or None."""
    query = (
        select(Document.name, Version.number)
        .join(Version, Version.document_id == Document.id)
        .where(Document.matter_id == matter_id, Version.sha256 == sha256)
        .where(visibility.documents_of_matter(actor), visibility.versions(actor))
        .order_by(Version.created_at.desc(), Version.number.desc())
        .limit(1)
    )
    if but_document_id is not None:
        query = query.where(Document.id != but_document_id)
    found = session().execute(query).first()
    return f"This file is already in the matter as {found.name} version {found.number}." if found else None


def of_document(actor: Actor, document_id: uuid.UUID) -> str | None:
    """The same for a document's current version. Raises NotFoundError for people who are not in its matter."""
    row = (
        session()
        .execute(
            select(Document.matter_id, Version.sha256)
            .join(Version, Version.id == visibility.current_version_id(actor))
            .where(Document.id == document_id)
        )
        .first()
    )
    if row is None:
        return None
    permissions.require_matter(actor, row.matter_id)
    return same_bytes_here(actor, row.matter_id, row.sha256, document_id)
