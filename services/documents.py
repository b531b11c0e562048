"""Documents of a matter: listed, added, renamed, and landed by a transfer."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Document, Matter, Version, new_id, utcnow
from services.errors import Conflict
from services.file_names import adapt, numbered, same_name_key, search_key, split


def land(
    session: Session,
    matter_id: uuid.UUID,
    member_id: uuid.UUID,
    file_name: str,
    sha256: str,
    size: int,
    *,
    document_id: uuid.UUID | None = None,
    origin: str = "imanage",
    note: str = "",
) -> tuple[Document, Version]:
    """Make stored bytes a new document of a matter, or the next version of one; it becomes the current version.

    For use inside the caller's unit, which also records the audit event. Matter and document are locked,
    always in this order, so that numbers and names are given out once. A new document whose name is taken gets
    a number: `Lease (2).docx`. A name that no disk would take is made to fit (file_names.adapt).
    """
    matter = session.scalar(
        select(Matter)
        .where(Matter.id == matter_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if matter is None:
        raise Conflict("This matter is no longer there.", code="matter.gone")
    name = adapt(file_name).full
    now = utcnow()
    if document_id is None:
        document = _new_document(session, matter_id, member_id, name)
        number = 1
    else:
        document = _locked(session, matter_id, document_id)
        number = 1 + (
            session.scalar(select(func.max(Version.number)).where(Version.document_id == document_id)) or 0
        )
    version = Version(
        id=new_id(),
        document_id=document.id,
        number=number,
        sha256=sha256,
        size=size,
        file_name=name,
        origin=origin,
        note=note,
        created_by_id=member_id,
        created_at=now,
    )
    session.add(version)
    session.flush()
    document.current_version_id = version.id
    document.changed_at = matter.changed_at = now
    return document, version


def name_is_taken(session: Session, matter_id: uuid.UUID, name: str) -> bool:
    """Whether the matter has a document of this name, letter case aside."""
    taken = session.scalars(
        select(Document.name).where(Document.matter_id == matter_id, Document.name_key == search_key(name))
    )
    return same_name_key(name) in {same_name_key(other) for other in taken}


def _new_document(session: Session, matter_id: uuid.UUID, member_id: uuid.UUID, name: str) -> Document:
    free, number = name, 1
    while name_is_taken(session, matter_id, free):
        number += 1
        free = numbered(split(name), number)
    document = Document(
        id=new_id(), matter_id=matter_id, name=free, name_key=search_key(free), created_by_id=member_id
    )
    session.add(document)
    session.flush()
    return document


def _locked(session: Session, matter_id: uuid.UUID, document_id: uuid.UUID) -> Document:
    document = session.scalar(
        select(Document)
        .where(Document.id == document_id, Document.matter_id == matter_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if document is None:
        raise Conflict("This document is no longer in the matter.", code="document.gone")
    return document
