"""The bin: documents and matters that were removed, restored within 30 days with everything, then deleted for good.

A document in the bin has no matter, so that no query of a matter finds it; its own are the only ones that look for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Select, delete, func, or_, select, update

from models import LIVE, Document, Link, Matter, Member, Participant, Transfer, TransferItem, Version, utcnow
from services.access import permissions
from services.access.roles import LEAD
from services.core import audit
from services.core.actor import SYSTEM, Actor
from services.core.errors import ConflictError, NotFoundError
from services.core.pagination import Page, paginate
from services.core.text.file_names import search_key
from services.core.unit_of_work import on_commit, session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import adding, documents
from services.matters.matters import counts
from services.matters.row_locks import locked_documents, locked_matter

KEPT = timedelta(days=30)
PAGE = 40
BATCH = 200

log = structlog.get_logger()


@dataclass(frozen=True)
class BinnedDocument:
    id: uuid.UUID
    name: str
    versions: int
    by: str
    at: datetime

    @property
    def until(self) -> datetime:
        """When it is deleted for good."""
        return self.at + KEPT


@dataclass(frozen=True)
class BinnedMatter:
    id: uuid.UUID
    name: str
    client_number: str
    matter_number: str
    documents: int
    by: str
    at: datetime

    @property
    def until(self) -> datetime:
        return self.at + KEPT


def transfers_into(document_id: uuid.UUID) -> int:
    """The number of documents on their way that would become a version of this one."""
    arriving = select(func.count()).where(
        TransferItem.document_id == document_id,
        TransferItem.state.in_(sorted(LIVE)),
        TransferItem.transfer_id.in_(select(Transfer.id).where(Transfer.kind == "get")),
    )
    return session().scalar(arriving) or 0


def live_transfers(matter_id: uuid.UUID) -> int:
    """The number of transfers of the matter that are in progress."""
    live = select(func.count()).where(
        Transfer.matter_id == matter_id, Transfer.finished_at.is_(None), Transfer.cancelled_at.is_(None)
    )
    return session().scalar(live) or 0


def remove_document(actor: Actor, document_id: uuid.UUID) -> str:
    """Move a document to the bin. Returns its name. What is on its way into it fails when it arrives."""
    view = documents.find(actor, document_id)
    if not remove_documents(actor, view.matter_id, [document_id]):
        raise refusal(ConflictError, "document.gone")
    return view.name


def remove_documents(actor: Actor, matter_id: uuid.UUID, document_ids: Collection[uuid.UUID]) -> int:
    """Move those of the documents to the bin that are in the matter. Returns how many."""
    with unit_of_work() as writing:
        permissions.require_remove_documents(actor, matter_id)
        matter = locked_matter(writing, matter_id)
        rows = locked_documents(writing, matter.id, document_ids)
        now = matter.changed_at = utcnow()
        where = {"matter_id": None, "binned_from_id": matter.id, "binned_at": now, "binned_by_id": actor.id}
        writing.execute(update(Document).where(Document.id.in_(rows)).values(where))
        audit.record_all(
            [
                audit.event(actor, "document.binned", row.name, subject_id=row.id, matter_id=matter.id)
                for row in rows.values()
            ]
        )
        return len(rows)


def restore_document(actor: Actor, document_id: uuid.UUID) -> str:
    """Put a document back with everything, under a free name, which is returned."""
    with unit_of_work() as writing:
        matter_id = writing.scalar(select(Document.binned_from_id).where(Document.id == document_id))
        if matter_id is None:
            raise NotFoundError("We could not find this document.")
        permissions.require_remove_documents(actor, matter_id)
        matter = locked_matter(writing, matter_id)
        row = writing.get(Document, document_id, with_for_update=True, populate_existing=True)
        if row is None or row.binned_from_id != matter.id or _is_due(row.binned_at):
            raise NotFoundError("This document is no longer in the bin.")
        before, row.name = row.name, adding.free_name(writing, matter.id, row.name)
        row.name_key, row.matter_id = search_key(row.name), matter.id
        row.binned_from_id = row.binned_at = row.binned_by_id = None
        row.changed_at = matter.changed_at = utcnow()
        renamed = before if before != row.name else ""
        audit.record(
            actor, "document.restored", row.name, subject_id=row.id, matter_id=matter.id, before=renamed
        )
        return row.name


def documents_of(actor: Actor, matter_id: uuid.UUID, page: int = 1) -> Page[BinnedDocument]:
    """The documents of a matter in the bin, the last removed first."""
    permissions.require_remove_documents(actor, matter_id)
    versions = (
        select(func.count()).where(Version.document_id == Document.id).correlate(Document).scalar_subquery()
    )
    query = (
        select(Document.id, Document.name, versions, Member.name, Document.binned_at)
        .join(Member, Member.id == Document.binned_by_id)
        .where(Document.binned_from_id == matter_id, Document.binned_at > utcnow() - KEPT)
        .order_by(Document.binned_at.desc(), Document.id)
    )
    found = paginate(query, page, PAGE)
    return found.with_rows(BinnedDocument(*row) for row in found.rows)


def remove_matter(actor: Actor, matter_id: uuid.UUID) -> str:
    """Move a matter to the bin, where only its leads find it. Its transfers stop. Returns its name."""
    with unit_of_work() as writing:
        permissions.require_lead(actor, matter_id)
        matter = locked_matter(writing, matter_id, even_closed=True)
        if matter.binned_at is None:
            matter.binned_at, matter.binned_by_id = utcnow(), actor.id
            audit.record(actor, "matter.binned", matter.name, subject_id=matter.id, matter_id=matter.id)
        return matter.name


def restore_matter(actor: Actor, matter_id: uuid.UUID) -> str:
    """Put a matter back with its documents and people. Returns its name."""
    with unit_of_work() as writing:
        permissions.require_lead(actor, matter_id)
        matter = locked_matter(writing, matter_id, even_closed=True)
        if _is_due(matter.binned_at):
            raise NotFoundError("This matter is no longer in the bin.")
        if matter.binned_at is not None:
            matter.binned_at = matter.binned_by_id = None
            audit.record(actor, "matter.restored", matter.name, subject_id=matter.id, matter_id=matter.id)
        return matter.name


def matters(actor: Actor, page: int = 1) -> Page[BinnedMatter]:
    """The matters in the bin that the actor leads, the last removed first."""
    count = select(func.count()).where(Document.matter_id == Matter.id).correlate(Matter).scalar_subquery()
    query = (
        select(
            Matter.id,
            Matter.name,
            Matter.client_number,
            Matter.matter_number,
            count,
            Member.name,
            Matter.binned_at,
        )
        .join(Participant, Participant.matter_id == Matter.id)
        .join(Member, Member.id == Matter.binned_by_id)
        .where(Participant.member_id == actor.id, Participant.role.in_(LEAD))
        .where(Matter.binned_at > utcnow() - KEPT)
        .order_by(Matter.binned_at.desc(), Matter.id)
    )
    found = paginate(query, page, PAGE)
    return found.with_rows(BinnedMatter(*row) for row in found.rows)


def _is_due(binned_at: datetime | None) -> bool:
    """Whether it is due for deletion: parts of it may be gone already, so that it is not restored."""
    return binned_at is not None and binned_at <= utcnow() - KEPT


def delete_expired() -> int:
    """A duty of the worker: delete what has been in the bin for 30 days; returns the number of documents.

    Links go with their documents. Bytes that no version names any more go with the next sweep of the store.
    """
    limit = utcnow() - KEPT
    over = select(Matter.id).where(Matter.binned_at <= limit)
    expired = select(Document).where(
        or_(Document.binned_at <= limit, Document.matter_id.in_(over), Document.binned_from_id.in_(over))
    )
    deleted = 0
    while some := _delete_documents(expired.limit(BATCH)):
        deleted += some
    _delete_matters(select(Matter).where(Matter.id.in_(over)))
    return deleted


def _delete_documents(expired: Select[Document]) -> int:
    if session().scalar(expired.with_only_columns(Document.id).limit(1)) is None:
        return 0
    with unit_of_work() as writing:
        rows = writing.scalars(expired.with_for_update(of=Document)).all()
        ids = [row.id for row in rows]
        versions, links = counts(Version.document_id, ids), counts(Link.document_id, ids)
        audit.record_all(
            [
                audit.event(
                    SYSTEM,
                    "document.deleted",
                    row.name,
                    subject_id=row.id,
                    matter_id=row.matter_id or row.binned_from_id,
                    versions=versions.get(row.id, 0),
                    links=links.get(row.id, 0),
                )
                for row in rows
            ]
        )
        writing.execute(delete(Document).where(Document.id.in_(ids)))
        on_commit(partial(log.info, "bin.documents_deleted", documents=len(rows)))
        return len(rows)


def _delete_matters(expired: Select[Matter]) -> None:
    if session().scalar(expired.with_only_columns(Matter.id).limit(1)) is None:
        return
    with unit_of_work() as writing:
        rows = writing.scalars(expired.with_for_update()).all()
        for row in rows:
            audit.record(SYSTEM, "matter.deleted", row.name, subject_id=row.id, matter_id=row.id)
        writing.flush()
        writing.execute(delete(Matter).where(Matter.id.in_([row.id for row in rows])))
