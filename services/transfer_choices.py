"""Where a person has to choose: iManage has moved on, somebody has the document checked out, or nobody can tell.

Nothing is sent until the choice is made, and the choice is in the audit.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import Server, Transfer, TransferItem, Version
from services import audit, permissions, remote, transfers
from services.actor import Actor
from services.errors import Conflict, NotFound
from services.transfer_links import facts_of, member_of
from services.transfer_running import Running, fresh
from services.transfer_states import ASKS, RUNNING, WAITING, move
from services.unit import session, unit

MOVED_ON, CHECKED_OUT, UNDECIDED = "moved_on", "checked_out", "undecided"
AGAIN, ANYWAY, GET_THEIRS, LEAVE = "again", "anyway", "get_theirs", "leave"
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    MOVED_ON: (
        (ANYWAY, "Save as new version anyway"),
        (GET_THEIRS, "Get theirs first"),
        (LEAVE, "Leave it"),
    ),
    CHECKED_OUT: ((AGAIN, "Try again"), (GET_THEIRS, "Get theirs first"), (LEAVE, "Leave it")),
    UNDECIDED: ((AGAIN, "Send it again"), (LEAVE, "Leave it")),
}
"""What may be chosen for each question, and what the button says."""
SENTENCES = {
    MOVED_ON: "iManage has moved on since our copy: version {version} is there now.",
    CHECKED_OUT: "Somebody has the document checked out in iManage.",
}


def kind_of(item: TransferItem) -> str:
    return str((item.question or {}).get("kind", UNDECIDED))


def ask(running: Running, kind: str, theirs: RemoteDocument) -> None:
    """Put both sides on the row, and wait for a person."""
    sentence = SENTENCES[kind].format(version=theirs.version)
    with unit() as writing:
        item = fresh(running)
        server = writing.get_one(Server, item.transfer.server_id)
        version = writing.get_one(Version, item.version_id)
        item.question = {"kind": kind, "ours": _ours(version), "theirs": _theirs(server, theirs)}
        item.intent = item.announced_at = item.sent_at = item.wait_until = None
        item.error_code, item.error_sentence = f"transfer.{kind}", sentence
        item.next_step = "Nothing was sent. Compare the two, then choose."
        if item.state == WAITING:
            move(item, RUNNING)
        move(item, ASKS)
        audit.record(
            member_of(item.transfer),
            f"transfer.{kind}",
            item.name,
            subject_id=item.id,
            matter_id=item.transfer.matter_id,
            server_id=server.id,
            outcome="refused",
            theirs=item.question["theirs"]["id"],
            ours=version.number,
        )


def decide(actor: Actor, item_id: uuid.UUID, choice: str, request_key: uuid.UUID) -> uuid.UUID:
    """Carry out a choice. Returns the transfer to look at: a new one where theirs is got first."""
    with unit():
        item = session().get(TransferItem, item_id, with_for_update=True)
        if item is None:
            raise NotFound()
        transfer = transfers.require_transfer(actor, item.transfer_id)
        permissions.require_transfer(actor, transfer.matter_id)
        kind = kind_of(item)
        if item.state != ASKS or choice not in dict(CHOICES[kind]):
            raise Conflict("This has been decided already.")
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
    if choice == LEAVE:
        transfers.stop(item, "You left it as it is.", "transfer.left")
        transfers.finish_if_over(transfer)
        return transfer.id
    if choice == ANYWAY:
        # Decided with theirs in sight: from here on only something newer still would be a surprise.
        item.based_on = int(theirs["version"])
        item.target, item.target_id = transfers.NEW_VERSION, str(theirs["id"])
    item.question = item.intent = None
    item.announced_at = item.sent_at = None
    item.sends = item.attempt = 0
    move(item, WAITING)
    transfers.clear_error(item)
    return transfer.id


def _get_theirs(
    actor: Actor, transfer: Transfer, item: TransferItem, source: VersionId, request_key: uuid.UUID
) -> uuid.UUID:
    """Their version becomes the next one here; the save goes on waiting for its own decision."""
    if transfer.server_id is None:
        raise Conflict("The iManage server of this transfer has been removed.")
    return transfers.start_get(
        actor,
        transfers.GetCommand(
            request_key, transfer.matter_id, transfer.server_id, (source,), item.document_id
        ),
    )


def _ours(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "name": version.file_name,
        "size": version.size,
        "who": version.created_by.name,
        "when": _moment(version.created_at),
    }


def _theirs(server: Server, document: RemoteDocument) -> dict[str, Any]:
    facts = facts_of(remote.endpoints(server), document)
    return {
        "id": facts["id"],
        "reference": f"{facts['library']} {facts['number']} v{facts['version']}",
        "version": facts["version"],
        "name": facts["full_name"],
        "size": document.size,
        "who": document.last_user_name or document.operator_name or document.last_user or document.operator,
        "when": _moment(document.edited_at),
        "url": facts["url"],
        "holder": document.in_use_by_name or document.in_use_by,
        "since": _moment(document.checkout_at),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
