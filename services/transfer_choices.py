"""Where a person has to choose: iManage has moved on, somebody has the document checked out, or nobody can tell.

Nothing is sent until the choice is made, and the choice is in the audit.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select

from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import Link, Server, Transfer, TransferItem, Version
from services import audit, permissions, remote, transfers
from services.actor import Actor
from services.errors import Conflict, NotFound
from services.transfer_links import Facts, facts_of, facts_of_present, link_values, member_of
from services.transfer_outcomes import Outcome
from services.transfer_running import Running, fresh
from services.transfer_states import ASKS, DONE, RUNNING, WAITING, move
from services.transfers import STORED_DIFFERENT as STORED_DIFFERENT_CODE
from services.unit import session, unit
from transfers.errors import StoredDifferent
from transfers.items import Present

MOVED_ON, CHECKED_OUT, UNDECIDED = "moved_on", "checked_out", "undecided"
STORED_DIFFERENT = "stored_different"
AGAIN, ANYWAY, GET_THEIRS, LEAVE, LINK = "again", "anyway", "get_theirs", "leave", "link"
THIS_IS_IT = (LINK, "This is it: link it")
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    MOVED_ON: (
        (ANYWAY, "Save as new version anyway"),
        (GET_THEIRS, "Get theirs first"),
        (LEAVE, "Leave it"),
    ),
    CHECKED_OUT: ((AGAIN, "Try again"), (GET_THEIRS, "Get theirs first"), (LEAVE, "Leave it")),
    UNDECIDED: (THIS_IS_IT, (AGAIN, "Send it again"), (LEAVE, "Leave it")),
    STORED_DIFFERENT: (THIS_IS_IT, (LEAVE, "Leave it")),
}
"""What may be chosen for each question, and what the button says. Nothing can be linked that is not in sight."""
SENTENCES = {
    MOVED_ON: "iManage has moved on since our copy: version {version} is there now.",
    CHECKED_OUT: "Somebody has the document checked out in iManage.",
}


def kind_of(item: TransferItem) -> str:
    return str((item.question or {}).get("kind", UNDECIDED))


def choices_of(item: TransferItem) -> tuple[tuple[str, str], ...]:
    in_sight = bool((item.question or {}).get("theirs"))
    return tuple(each for each in CHOICES[kind_of(item)] if in_sight or each != THIS_IS_IT)


def ask_what_was_stored(running: Running, error: StoredDifferent) -> None:
    """iManage has altered what it stored. To send it again would double it, so a person looks and may link it."""
    with unit():
        item = fresh(running)
        show(item, STORED_DIFFERENT, error.present)
        item.intent = item.announced_at = item.sent_at = item.wait_until = None
        item.error_code, item.error_sentence = error.code, error.sentence
        item.next_step = error.next_step
        move(item, ASKS)
        audit.record(
            member_of(item.transfer),
            error.code,
            item.name,
            subject_id=item.id,
            matter_id=item.transfer.matter_id,
            server_id=item.transfer.server_id,
            outcome="failed",
            stored=str(error.present.id),
            what=error.what,
        )


def show(item: TransferItem, kind: str, present: Present) -> None:
    """Put ours beside what may be it, in the open unit."""
    server = session().get_one(Server, item.transfer.server_id)
    version = session().get_one(Version, item.version_id)
    facts = facts_of_present(remote.endpoints(server), present)
    theirs = {
        "id": facts["id"],
        "reference": _reference(facts),
        "version": facts["version"],
        "size": present.size,
        "who": present.operator,
        "when": _moment(present.edited_at or present.created_at),
        "url": facts["url"],
        "facts": facts,
        "sha256": present.sha256 or "",
    }
    item.question = {"kind": kind, "ours": _ours(version), "theirs": theirs}


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
        if item.state != ASKS or choice not in dict(choices_of(item)):
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
    if choice == LINK:
        _link(actor, transfer, item, theirs)
        return transfer.id
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


def _link(actor: Actor, transfer: Transfer, item: TransferItem, theirs: dict[str, Any]) -> None:
    """What iManage holds is ours by a person's word, other bytes or not."""
    facts, version = theirs["facts"], session().get(Version, item.version_id)
    if transfer.server_id is None:
        raise Conflict("The iManage server of this transfer has been removed.")
    if version is None:
        raise Conflict("The document is no longer in the matter.")
    taken = exists().where(
        Link.server_id == transfer.server_id,
        Link.library_key == facts["library"].casefold(),
        Link.number == facts["number"],
        Link.version == facts["version"],
        Link.ended_at.is_(None),
        Link.document_id != version.document_id,
    )
    if session().scalar(select(taken)):
        raise Conflict("This version in iManage is linked to another document already.")
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
    # A version that was to be replaced and that a person links unproved may never have held anything else.
    is_stored = item.error_code == STORED_DIFFERENT_CODE or theirs["sha256"] == version.sha256
    is_replaced = item.target == transfers.REPLACE and is_stored
    item.receipt = facts
    item.outcome = (Outcome.REPLACED if is_replaced else Outcome.SAVED).value
    item.warnings = ["iManage holds other bytes than were sent. You linked it as it is."] if differs else []
    item.bytes_done = item.size or item.bytes_done
    item.question = item.intent = item.wait_until = None
    move(item, DONE)
    transfers.clear_error(item)
    transfers.finish_if_over(transfer)
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
        "reference": _reference(facts),
        "version": facts["version"],
        "name": facts["full_name"],
        "size": document.size,
        "who": document.last_user_name or document.operator_name or document.last_user or document.operator,
        "when": _moment(document.edited_at),
        "url": facts["url"],
        "holder": document.in_use_by_name or document.in_use_by,
        "since": _moment(document.checkout_at),
    }


def _reference(facts: Facts) -> str:
    return f"{facts['library']} {facts['number']} v{facts['version']}"


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
