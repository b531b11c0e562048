"""Undoing a transfer: what a get brought goes out of the matter again, unless somebody has used it since.

New documents go to the bin. New versions stay in the history, held for members, and the version that was current
before is current again. Nothing changes in iManage.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select

from models import AuditEvent, Document, Link, Member, Transfer, TransferItem, Version, utcnow
from services.access import permissions
from services.access.server_access import known_to
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError
from services.core.text.file_names import visible
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import exposure, recycle_bin
from services.matters.row_locks import locked_documents, locked_matter
from services.transfers.outcomes import Outcome
from services.transfers.requests import require_transfer
from services.transfers.states import LIVE, ItemState

KEPT = timedelta(days=30)
"""How long after its end a transfer can be undone."""
BROUGHT = frozenset({Outcome.ADDED, Outcome.NEW_VERSION, Outcome.IN_HISTORY})
READ = ("version.downloaded", "version.previewed", "version.compared")
LISTED = 100


class Result(StrEnum):
    """What an undo does with a document, or why it keeps it. services/guidance/outcomes.py has them in words."""

    REMOVED = "removed"
    TAKEN_BACK = "taken_back"
    EDITED = "edited"
    SHOWN = "shown"
    SAVED = "saved"
    GONE = "gone"


CHANGED = (Result.REMOVED, Result.TAKEN_BACK)


@dataclass(frozen=True)
class Row:
    """One document of a transfer with what an undo does. `number` is that of the version it brought."""

    name: str
    result: Result
    number: int | None


@dataclass(frozen=True)
class Preview:
    """What an undo would do with each document, by result."""

    rows: Mapping[Result, Sequence[Row]]

    @property
    def is_possible(self) -> bool:
        return any(self.rows.get(result) for result in CHANGED)


@dataclass(frozen=True)
class Saved:
    """A version in iManage that a save made; `reference` and `url` only for people who can use its server."""

    name: str
    outcome: Outcome
    reference: str
    url: str


@dataclass(frozen=True)
class _Arrived:
    """What an item brought; its version and document are None where they are gone."""

    item: TransferItem
    version: Version | None
    document: Document | None


def is_due(transfer: Transfer) -> bool:
    """Whether a transfer ended within the last 30 days and was not undone."""
    return (
        transfer.undone_at is None
        and transfer.finished_at is not None
        and transfer.finished_at > utcnow() - KEPT
    )


def preview(actor: Actor, transfer_id: uuid.UUID) -> Preview:
    """What undoing a get would do now. Raises ConflictError where it cannot be undone any more."""
    transfer = _require(actor, transfer_id)
    rows: dict[Result, list[Row]] = defaultdict(list)
    for arrived, result in _results(transfer):
        rows[result].append(
            Row(
                visible(arrived.document.name if arrived.document else arrived.item.name),
                result,
                arrived.version.number if arrived.version else None,
            )
        )
    return Preview(rows)


def undo(actor: Actor, transfer_id: uuid.UUID) -> int:
    """Undo a get in one commit. Returns how many documents changed; raises ConflictError where others were first."""
    with unit_of_work() as writing:
        transfer = _require(actor, transfer_id)
        matter = locked_matter(writing, transfer.matter_id)
        writing.refresh(transfer, with_for_update=True)
        _require_due(transfer)
        concerned = select(Version.document_id).join(TransferItem, TransferItem.version_id == Version.id)
        locked_documents(writing, matter.id, concerned.where(TransferItem.transfer_id == transfer.id))
        found = list(_results(transfer))
        for arrived, result in found:
            arrived.item.undone = result
        changed = {
            result: [arrived for arrived, its in found if its == result and arrived.document is not None]
            for result in CHANGED
        }
        if not any(changed.values()):
            raise refusal(ConflictError, "undo.nothing")
        transfer.undone_at, transfer.undone_by_id = utcnow(), actor.id
        writing.flush()
        if taken := changed[Result.TAKEN_BACK]:
            _take_back(actor, transfer, taken)
        removed = {each.document.id for each in changed[Result.REMOVED] if each.document}
        if removed:
            recycle_bin.remove_documents(actor, matter.id, removed)
        audit.record(
            actor,
            "transfer.undone",
            matter.name,
            subject_id=transfer.id,
            matter_id=matter.id,
            server_id=transfer.server_id,
            removed=len(removed),
            taken_back=len(taken),
            kept=[f"{visible(each.item.name)}: {its}" for each, its in found if its not in CHANGED],
        )
        return sum(map(len, changed.values()))


def saved(actor: Actor, transfer_id: uuid.UUID) -> tuple[Saved, ...]:
    """What a save left in iManage, for a person to remove there: the first hundred."""
    transfer = require_transfer(actor, transfer_id)
    may_use = known_to(actor).may_use(transfer.server_id)
    items = session().scalars(
        select(TransferItem)
        .where(TransferItem.transfer_id == transfer.id, TransferItem.state == ItemState.DONE)
        .where(TransferItem.outcome != Outcome.THERE_ALREADY)
        .order_by(TransferItem.position)
        .limit(LISTED)
    )
    return tuple(
        Saved(
            visible(item.name),
            Outcome(item.outcome or Outcome.SAVED),
            f"{there['library']} {there['number']} v{there['version']}" if there else "",
            str(there.get("url", "")),
        )
        for item in items
        for there in [(item.receipt or {}) if may_use else {}]
    )


def _require(actor: Actor, transfer_id: uuid.UUID) -> Transfer:
    transfer = require_transfer(actor, transfer_id)
    permissions.require_transfer(actor, transfer.matter_id)
    permissions.require_remove_documents(actor, transfer.matter_id)
    _require_due(transfer)
    return transfer


def _require_due(transfer: Transfer) -> None:
    if transfer.undone_at is not None:
        by = session().get(Member, transfer.undone_by_id)
        raise refusal(ConflictError, "undo.done", name=by.name if by else "Someone else")
    if transfer.kind != "get" or not is_due(transfer):
        raise refusal(ConflictError, "undo.late")


def _results(transfer: Transfer) -> Iterator[tuple[_Arrived, Result]]:
    """What an undo does with each item that brought something; the versions of one document share a result."""
    arrived = _arrived(transfer)
    ours: dict[uuid.UUID, list[_Arrived]] = defaultdict(list)
    for each in arrived:
        if each.document is not None and each.version is not None:
            ours[each.document.id].append(each)
    brought = [each.version.id for of_one in ours.values() for each in of_one if each.version]
    others = _other_versions(ours, brought)
    shown, onward = _shown(transfer, ours), _saved_onward(brought)
    results: dict[uuid.UUID, Result] = {}
    for document_id, of_one in ours.items():
        versions = [each.version for each in of_one if each.version]
        if max(others.get(document_id, ()), default=0) > min(each.number for each in versions):
            results[document_id] = Result.EDITED
        elif any(each.released_at or (document_id, each.number) in shown for each in versions):
            results[document_id] = Result.SHOWN
        elif any(each.id in onward for each in versions):
            results[document_id] = Result.SAVED
        else:
            results[document_id] = Result.TAKEN_BACK if document_id in others else Result.REMOVED
    for each in arrived:
        yield each, results[each.document.id] if each.document and each.version else Result.GONE


def _arrived(transfer: Transfer) -> list[_Arrived]:
    rows = session().execute(
        select(TransferItem, Version, Document)
        .outerjoin(Version, Version.id == TransferItem.version_id)
        .outerjoin(
            Document, (Document.id == Version.document_id) & (Document.matter_id == transfer.matter_id)
        )
        .where(TransferItem.transfer_id == transfer.id, TransferItem.state == ItemState.DONE)
        .where(TransferItem.outcome.in_(["", *sorted(BROUGHT)]))
        .order_by(TransferItem.position)
        .execution_options(populate_existing=True)
    )
    return [_Arrived(*row) for row in rows]


def _other_versions(
    document_ids: Collection[uuid.UUID], brought: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[int]]:
    """By document, the numbers of its versions that neither this transfer brought nor another undo took back."""
    taken_back = select(TransferItem.version_id).where(
        TransferItem.document_id.in_(document_ids), TransferItem.undone == Result.TAKEN_BACK
    )
    numbers: dict[uuid.UUID, list[int]] = defaultdict(list)
    query = select(Version.document_id, Version.number).where(
        Version.document_id.in_(document_ids),
        Version.id.not_in(brought),
        or_(Version.held_at.is_(None), Version.id.not_in(taken_back)),
    )
    for document_id, number in session().execute(query):
        numbers[document_id].append(number)
    return dict(numbers)


def _shown(transfer: Transfer, document_ids: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, int]]:
    """Documents and numbers of versions that a guest has downloaded or read since."""
    events = session().execute(
        select(AuditEvent.subject_id, AuditEvent.detail)
        .join(Member, Member.id == AuditEvent.actor_id)
        .where(
            AuditEvent.matter_id == transfer.matter_id,
            AuditEvent.at >= transfer.created_at,
            AuditEvent.action.in_(READ),
            Member.is_guest,
        )
    )
    return {
        (subject_id, number)
        for subject_id, detail in events
        if subject_id in document_ids
        for number in (detail.get("version"), detail.get("with_version"))
        if number
    }


def _saved_onward(version_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Versions that were saved to iManage, are on their way there, or were linked by hand."""
    links = select(Link.version_id).where(
        Link.version_id.in_(version_ids), Link.ended_at.is_(None), Link.direction != "got"
    )
    leaving = (
        select(TransferItem.version_id)
        .join(Transfer, Transfer.id == TransferItem.transfer_id)
        .where(
            Transfer.kind == "save",
            TransferItem.version_id.in_(version_ids),
            TransferItem.state.in_([*sorted(LIVE), ItemState.NEEDS_SIGN_IN, ItemState.NEEDS_DECISION]),
        )
    )
    return {*session().scalars(links), *(each for each in session().scalars(leaving) if each)}


def _take_back(actor: Actor, transfer: Transfer, taken: Sequence[_Arrived]) -> None:
    """Make the earlier versions current and hold those that came. Links end, so that a document can be got again."""
    current = session()
    brought = {each.version.id: each for each in taken if each.version}
    documents = {each.document.id: each.document for each in taken if each.document}
    earlier = _earlier(documents, brought)
    for document in documents.values():
        if document.current_version_id in brought:
            document.current_version_id = earlier[document.id]
        document.changed_at = utcnow()
    _end_links(documents, brought)
    current.flush()
    open_ids = [id for id, each in brought.items() if each.version and each.version.held_at is None]
    for start in range(0, len(open_ids), exposure.MOST):
        exposure.hold(actor, transfer.matter_id, open_ids[start : start + exposure.MOST])
    exposure.set_guest_versions(current, documents, ())
    audit.record_all(
        [
            audit.event(
                actor,
                "version.taken_back",
                each.document.name,
                subject_id=each.document.id,
                matter_id=transfer.matter_id,
                server_id=transfer.server_id,
                version=each.version.number,
            )
            for each in taken
            if each.document and each.version
        ]
    )


def _earlier(
    document_ids: Collection[uuid.UUID], brought: Mapping[uuid.UUID, _Arrived]
) -> dict[uuid.UUID, uuid.UUID]:
    """By document, the version that was current before the transfer, else the newest of the others."""
    rows = session().execute(
        select(Version.document_id, Version.id)
        .where(Version.document_id.in_(document_ids), Version.id.not_in(brought))
        .order_by(Version.number)
    )
    others: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for document_id, version_id in rows:
        others[document_id].append(version_id)
    earlier = {document_id: ids[-1] for document_id, ids in others.items()}
    for each in brought.values():
        if each.document and each.item.replaced_id in others[each.document.id]:
            earlier[each.document.id] = each.item.replaced_id
    return earlier


def _end_links(document_ids: Collection[uuid.UUID], brought: Collection[uuid.UUID]) -> None:
    """End the links of the versions; the other links of a twin keep what was found there at the last check."""
    links = session().scalars(select(Link).where(Link.document_id.in_(document_ids), Link.ended_at.is_(None)))
    of_twin: dict[tuple[object, ...], list[Link]] = defaultdict(list)
    for link in links:
        of_twin[link.document_id, link.server_id, link.library_key, link.number].append(link)
    now: datetime = utcnow()
    for twin in of_twin.values():
        newest = max(twin, key=lambda link: (link.latest_version, link.checked_at))
        for link in twin:
            if link.version_id in brought:
                link.ended_at = now
            elif link.latest_version < newest.latest_version:
                link.latest_version, link.latest_checksum = newest.latest_version, newest.latest_checksum
                link.checked_at = newest.checked_at
