"""Decisions of a member about a save: a newer version, a check-out, an undecided outcome, or altered content.

Nothing is sent until the member has chosen. The choice is recorded in the audit log.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import exists, select

from imanage.ids import VersionId
from models import Link, Transfer, TransferItem, Version
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.transfers import lifecycle, requests
from services.transfers.lifecycle import STORED_DIFFERENT as STORED_DIFFERENT_CODE
from services.transfers.link_facts import link_values
from services.transfers.outcomes import LEFT_CODE, Outcome
from services.transfers.states import ItemState, move

MOVED_ON, CHECKED_OUT, UNDECIDED = "moved_on", "checked_out", "undecided"
STORED_DIFFERENT = "stored_different"
AGAIN, ANYWAY, GET_THEIRS, LEAVE, LINK = "again", "anyway", "get_theirs", "leave", "link"
CHOICES: dict[str, tuple[str, ...]] = {
    MOVED_ON: (ANYWAY, GET_THEIRS, LEAVE),
    CHECKED_OUT: (AGAIN, GET_THEIRS, LEAVE),
    UNDECIDED: (LINK, AGAIN, LEAVE),
    STORED_DIFFERENT: (LINK, LEAVE),
}
"""The choices for each question."""


def kind_of(item: TransferItem) -> str:
    return str((item.question or {}).get("kind", UNDECIDED))


def choices_of(item: TransferItem) -> tuple[str, ...]:
    """The choices for this item. Only a version that the page shows can be linked."""
    is_shown = bool((item.question or {}).get("theirs"))
    return tuple(each for each in CHOICES[kind_of(item)] if is_shown or each != LINK)


def decide(actor: Actor, item_id: uuid.UUID, choice: str, request_key: uuid.UUID) -> uuid.UUID:
    """Carry out a choice. Returns the id of the transfer to show: a new one where their version is fetched first."""
    with unit_of_work():
        item = session().get(TransferItem, item_id, with_for_update=True)
        if item is None:
            raise NotFoundError()
        transfer = requests.require_transfer(actor, item.transfer_id)
        permissions.require_transfer(actor, transfer.matter_id)
        kind = kind_of(item)
        if item.state != ItemState.NEEDS_DECISION or choice not in choices_of(item):
            raise ConflictError("This has already been decided.")
        audit.record(
            actor,
            "transfer.decided",
            item.name,
            subject_id=item.id,
            matter_id=transfer.matter_id,
            server_id=transfer.server_id,
            question=kind,
            choice=choice,
        )
        return _carry_out(actor, transfer, item, choice, request_key)


def _carry_out(
    actor: Actor, transfer: Transfer, item: TransferItem, choice: str, request_key: uuid.UUID
) -> uuid.UUID:
    theirs = (item.question or {}).get("theirs") or {}
    if choice == GET_THEIRS:
        return _get_theirs(actor, transfer, item, VersionId.parse(theirs["id"]), request_key)
    if choice == LINK:
        _link(actor, transfer, item, theirs)
        return transfer.id
    if choice == LEAVE:
        lifecycle.stop(item, LEFT_CODE)
        lifecycle.finish_if_over(transfer)
        return transfer.id
    if choice == ANYWAY:
        # The member saw their version, so only a newer one than that raises the question again.
        item.based_on = int(theirs["version"])
        item.target, item.target_id = requests.NEW_VERSION, str(theirs["id"])
    item.question = item.intent = None
    item.announced_at = item.sent_at = None
    item.sends = item.attempt = 0
    move(item, ItemState.WAITING)
    lifecycle.clear_error(item)
    return transfer.id


def _get_theirs(
    actor: Actor, transfer: Transfer, item: TransferItem, source: VersionId, request_key: uuid.UUID
) -> uuid.UUID:
    """Their version becomes the next one here; the save still waits for its own decision."""
    if transfer.server_id is None:
        raise refusal(ConflictError, "server.removed")
    return requests.start_get(
        actor,
        requests.GetCommand(request_key, transfer.matter_id, transfer.server_id, (source,), item.document_id),
    )


def _link(actor: Actor, transfer: Transfer, item: TransferItem, theirs: dict[str, Any]) -> None:
    """Link the version in iManage as the twin because the member says so, even with other bytes."""
    facts, version = theirs["facts"], session().get(Version, item.version_id)
    if transfer.server_id is None:
        raise refusal(ConflictError, "server.removed")
    if version is None:
        raise refusal(ConflictError, "document.gone")
    taken = exists().where(
        Link.server_id == transfer.server_id,
        Link.library_key == facts["library"].casefold(),
        Link.number == facts["number"],
        Link.version == facts["version"],
        Link.ended_at.is_(None),
        Link.document_id != version.document_id,
    )
    if session().scalar(select(taken)):
        raise ConflictError("This version in iManage is already linked to another document.")
    values = link_values(
        "saved",
        facts,
        server_id=transfer.server_id,
        document_id=version.document_id,
        version_id=version.id,
        member_id=transfer.member_id,
        checksum=theirs["sha256"],
    )
    session().add(Link(**values))
    differs = item.error_code == STORED_DIFFERENT_CODE or theirs["sha256"] not in {"", version.sha256}
    # Without proof of its bytes, the version to be replaced may never have been replaced.
    is_stored = item.error_code == STORED_DIFFERENT_CODE or theirs["sha256"] == version.sha256
    is_replaced = item.target == requests.REPLACE and is_stored
    item.receipt = facts
    item.outcome = (Outcome.REPLACED if is_replaced else Outcome.SAVED).value
    item.warnings = (
        ["The file in iManage differs from the one sent. It was linked anyway."] if differs else []
    )
    item.bytes_done = item.size or item.bytes_done
    item.question = item.intent = item.wait_until = None
    move(item, ItemState.DONE)
    lifecycle.clear_error(item)
    lifecycle.finish_if_over(transfer)
    audit.record(
        actor,
        "transfer.linked",
        item.name,
        subject_id=version.id,
        matter_id=transfer.matter_id,
        server_id=transfer.server_id,
        stored=facts["id"],
        sha256=version.sha256,
        there=theirs["sha256"],
    )
