"""Decisions about documents that are not in step: ignored until they change again, or kept although out of reach."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from models import DriftDecision, Version, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import session, unit_of_work, upsert
from services.drift import board
from services.drift.board import DriftRow
from services.matters import exposure, recycle_bin

IGNORE, KEEP, HOLD, REMOVE = "ignore", "keep", "hold", "remove"
COPY_CHOICES = {KEEP: "Keep", HOLD: "Hold for members", REMOVE: "Move to the bin"}
"""What can become of our copy of a document that is out of reach in iManage."""
LONGEST_REASON = 500


@dataclass(frozen=True)
class DecideCommand:
    """One choice for documents of a matter with their twins on one server.

    `seen`: the marks of the states that the person saw; those that have changed since are left out.
    """

    matter_id: uuid.UUID
    server_id: uuid.UUID
    document_ids: tuple[uuid.UUID, ...]
    choice: str
    reason: str = ""
    seen: tuple[str, ...] = ()


def ignore(actor: Actor, command: DecideCommand) -> int:
    """Leave drifted documents out of the list until they change again on either side. Returns how many."""
    if not command.reason.strip():
        raise InvalidError({"reason": "Enter a reason. The others in this matter will see it."})
    with unit_of_work():
        permissions.require_transfer(actor, command.matter_id)
        rows = [row for row in _rows(actor, command) if row.is_ignorable]
        _decide(actor, command, rows, "drift.ignored")
    return len(rows)


def decide_copies(actor: Actor, command: DecideCommand) -> int:
    """What becomes of our copies of documents that are out of reach in iManage. Only for leads. Returns how many."""
    if command.choice not in COPY_CHOICES:
        raise InvalidError({"choice": "Choose what to do."})
    with unit_of_work():
        permissions.require_change_matter(actor, command.matter_id)
        rows = [row for row in _rows(actor, command) if row.is_out_of_reach]
        _decide(actor, command, rows, "access_lost.decided")
        ids = [row.document_id for row in rows]
        if command.choice == HOLD and (shown := _shown(ids)):
            exposure.hold(actor, command.matter_id, shown)
        if command.choice == REMOVE:
            recycle_bin.remove_documents(actor, command.matter_id, ids)
    return len(rows)


def undo(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: tuple[uuid.UUID, ...]
) -> int:
    """Withdraw decisions, so that the documents are listed again. Returns how many."""
    command = DecideCommand(matter_id, server_id, document_ids, "")
    with unit_of_work() as writing:
        permissions.require_transfer(actor, matter_id)
        rows = [row for row in _rows(actor, command) if row.decision is not None]
        if any(row.is_out_of_reach for row in rows):
            permissions.require_change_matter(actor, matter_id)
        writing.execute(
            delete(DriftDecision).where(
                DriftDecision.document_id.in_([row.document_id for row in rows]),
                DriftDecision.server_id == server_id,
            )
        )
        audit.record_all([_event(actor, command, row, "drift.undone") for row in rows])
    return len(rows)


def _rows(actor: Actor, command: DecideCommand) -> tuple[DriftRow, ...]:
    if not command.document_ids:
        raise InvalidError({"document": "Choose at least one document."})
    rows = board.rows_on(actor, command.matter_id, command.server_id, command.document_ids)
    return tuple(row for row in rows if not command.seen or row.mark in command.seen)


def _decide(actor: Actor, command: DecideCommand, rows: list[DriftRow], action: str) -> None:
    """Write the choice for each of them, in the open unit of work."""
    if not rows:
        raise InvalidError({"document": "These documents have changed since. Open Drift again."})
    decided = {
        "choice": command.choice,
        "reason": command.reason.strip(),
        "member_id": actor.id,
        "at": utcnow(),
    }
    values = [
        {"document_id": row.document_id, "server_id": command.server_id, "seen": row.mark, **decided}
        for row in rows
    ]
    with unit_of_work() as writing:
        made = upsert(DriftDecision)
        changed = decided | {"seen": made.excluded.seen}
        writing.execute(
            made.on_conflict_do_update(index_elements=["document_id", "server_id"], set_=changed), values
        )
        audit.record_all([_event(actor, command, row, action) for row in rows])


def _shown(document_ids: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The versions of these documents that are not held."""
    query = select(Version.id).where(Version.document_id.in_(document_ids), Version.held_at.is_(None))
    return session().scalars(query).all()


def _event(actor: Actor, command: DecideCommand, row: DriftRow, action: str) -> audit.Event:
    return audit.event(
        actor,
        action,
        row.name,
        subject_id=row.document_id,
        matter_id=command.matter_id,
        server_id=command.server_id,
        twin=row.status.twin.reference,
        state=row.status.state.label,
        choice=command.choice,
        reason=command.reason.strip(),
    )
