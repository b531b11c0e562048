"""What a member does with a transfer: cancel, retry, pause and resume it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from models import Transfer, TransferItem, utcnow
from services.access import permissions, rate_limits, server_access
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import exposure
from services.transfers import lifecycle, requests, tallies
from services.transfers.outcomes import CANCELLED_CODE
from services.transfers.states import ItemState, move


def cancel(actor: Actor, transfer_id: uuid.UUID) -> None:
    """Cancel a transfer: no new request to iManage after the next chunk. Completed items stay."""
    with unit_of_work():
        transfer = requests.require_transfer(actor, transfer_id)
        if transfer.finished_at is not None or transfer.cancelled_at is not None:
            return
        lifecycle.cancel_items(transfer, CANCELLED_CODE)
        audit.record(
            actor,
            "transfer.cancelled",
            _documents(transfer),
            subject_id=transfer.id,
            matter_id=transfer.matter_id,
            server_id=transfer.server_id,
        )


def retry_failed(actor: Actor, transfer_id: uuid.UUID, request_key: uuid.UUID) -> uuid.UUID:
    """Start a new transfer of the items that failed or were stopped and may succeed now.

    Idempotent: a second call returns the transfer of the first. What arrives is held where it has not been confirmed
    today which guests see it.
    """
    rate_limits.require(actor.id, rate_limits.TRANSFERS)
    with unit_of_work() as writing:
        before = requests.require_transfer(actor, transfer_id)
        permissions.require_transfer(actor, before.matter_id)
        if (known := requests.transfer_of_key(actor, request_key)) is not None:
            return known
        session().refresh(before, with_for_update=True)
        if made := session().scalar(select(Transfer.id).where(Transfer.retry_of_id == before.id)):
            return made
        if before.server_id is None:
            raise refusal(ConflictError, "server.removed")
        server = server_access.require_use(actor.id, before.server_id)
        again = [item for item in before.items if tallies.retries(before.kind, item)]
        if not again:
            raise ConflictError("Nothing in this transfer can be retried.")
        transfer = requests.new_transfer(actor, request_key, before.kind, before.matter_id, server)
        transfer.retry_of_id = before.id
        is_held = before.kind == "get" and _is_exposure_due(actor, before.matter_id, again)
        items = [
            _copy_of(item, transfer, position, is_held=item.is_held or is_held)
            for position, item in enumerate(again, 1)
        ]
        writing.add_all(items)
        writing.flush()
        audit.record(
            actor,
            "transfer.retried",
            _documents(transfer),
            subject_id=transfer.id,
            matter_id=before.matter_id,
            server_id=server.id,
        )
        return transfer.id


def resume_after_sign_in(actor: Actor, server_id: uuid.UUID) -> None:
    """Resume the items that waited for this member's sign-in."""
    with unit_of_work():
        waiting = (
            select(TransferItem)
            .join(Transfer)
            .where(
                Transfer.member_id == actor.id,
                Transfer.server_id == server_id,
                TransferItem.state == ItemState.NEEDS_SIGN_IN,
            )
        )
        for item in session().scalars(waiting).all():
            move(item, ItemState.WAITING)
            item.wait_until = None
            lifecycle.clear_error(item)


def pause(actor: Actor, transfer_id: uuid.UUID) -> None:
    """Pause a transfer: running items stop at their next chunk and keep their bytes; none starts until resumed."""
    _set_pause(actor, transfer_id, utcnow(), "transfer.paused")


def resume(actor: Actor, transfer_id: uuid.UUID) -> None:
    """End a pause."""
    _set_pause(actor, transfer_id, None, "transfer.resumed")


def _set_pause(actor: Actor, transfer_id: uuid.UUID, at: datetime | None, action: str) -> None:
    with unit_of_work():
        transfer = requests.require_transfer(actor, transfer_id)
        permissions.require_transfer(actor, transfer.matter_id)
        if transfer.finished_at is not None or (transfer.paused_at is None) == (at is None):
            return
        transfer.paused_at = at
        audit.record(
            actor, action, _documents(transfer), subject_id=transfer.id, matter_id=transfer.matter_id
        )


def _documents(transfer: Transfer) -> str:
    """The documents of a transfer, as the audit log names them."""
    tally = tallies.of_transfers([transfer.id]).get(transfer.id)
    return tally.documents(is_known=True) if tally else ""


def _is_exposure_due(actor: Actor, matter_id: uuid.UUID, items: Sequence[TransferItem]) -> bool:
    known = [item.document_id for item in items if item.document_id is not None]
    return exposure.question(actor, matter_id, known if len(known) == len(items) else ()).is_due


def _copy_of(item: TransferItem, transfer: Transfer, position: int, *, is_held: bool) -> TransferItem:
    is_uncertain = lifecycle.may_have_arrived(item)
    return TransferItem(
        transfer=transfer,
        position=position,
        name=item.name,
        state=ItemState.WAITING,
        source_id=item.source_id,
        older_becomes_current=item.older_becomes_current,
        is_held=is_held,
        document_id=item.document_id,
        version_id=item.version_id if transfer.kind == "save" else None,
        target=item.target,
        target_id=item.target_id,
        note=item.note,
        profile=item.profile,
        size=item.size,
        sha256=item.sha256 if transfer.kind == "save" else "",
        based_on=item.based_on,
        # An unknown outcome of the earlier send is resolved before anything is sent.
        intent=item.intent if is_uncertain else None,
        announced_at=item.announced_at if is_uncertain else None,
        sent_at=item.sent_at if is_uncertain else None,
    )
