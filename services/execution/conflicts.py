"""A save that needs a decision: both versions are recorded on its row, and nothing is sent until the member chooses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from copying.errors import StoredDifferentError
from copying.values import Present
from imanage.types import Document as RemoteDocument
from models import Server, TransferItem, Version
from services.core import audit
from services.core.errors import RefusedError
from services.core.unit_of_work import session, unit_of_work
from services.execution.item_run import ItemRun, actor_of, current
from services.guidance.refusals import refusal
from services.servers import transport
from services.transfers import lifecycle
from services.transfers.decisions import STORED_DIFFERENT
from services.transfers.link_facts import Facts, facts_of, facts_of_present
from services.transfers.states import ItemState, move


def ask(run: ItemRun, kind: str, theirs: RemoteDocument) -> None:
    """Record both versions on the row, and wait for the member's decision."""
    with unit_of_work() as writing:
        item = current(run)
        server = writing.get_one(Server, item.transfer.server_id)
        version = writing.get_one(Version, item.version_id)
        item.question = {"kind": kind, "ours": _ours(version), "theirs": _theirs(server, theirs)}
        item.intent = item.announced_at = item.sent_at = item.wait_until = None
        lifecycle.set_error(item, refusal(RefusedError, f"transfer.{kind}", version=theirs.version))
        if item.state == ItemState.WAITING:
            move(item, ItemState.RUNNING)
        move(item, ItemState.NEEDS_DECISION)
        audit.record(
            actor_of(item.transfer.member_id),
            f"transfer.{kind}",
            item.name,
            subject_id=item.id,
            matter_id=item.transfer.matter_id,
            server_id=server.id,
            outcome="refused",
            theirs=item.question["theirs"]["id"],
            ours=version.number,
        )


def ask_what_was_stored(run: ItemRun, error: StoredDifferentError) -> None:
    """iManage altered what it stored. Sending again would duplicate it, so the member checks it and may link it."""
    with unit_of_work():
        item = current(run)
        show(item, STORED_DIFFERENT, error.present)
        item.intent = item.announced_at = item.sent_at = item.wait_until = None
        lifecycle.set_error(item, refusal(RefusedError, error.code, error.what, **vars(error)))
        move(item, ItemState.NEEDS_DECISION)
        audit.record(
            actor_of(item.transfer.member_id),
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
    """Record our version and a candidate in iManage, in the open unit of work."""
    server = session().get_one(Server, item.transfer.server_id)
    version = session().get_one(Version, item.version_id)
    facts = facts_of_present(transport.endpoints(server), present)
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


def _ours(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "name": version.file_name,
        "size": version.size,
        "who": version.created_by.name,
        "when": _moment(version.created_at),
    }


def _theirs(server: Server, document: RemoteDocument) -> dict[str, Any]:
    facts = facts_of(transport.endpoints(server), document)
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
