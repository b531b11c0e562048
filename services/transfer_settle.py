"""The end of a save: what became of a send whose answer was lost, and what is kept of one that arrived."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select

from imanage import documents as remote_documents
from imanage.errors import ImanageError
from models import Link, Server, Transfer, TransferItem, Version, utcnow
from services import audit, server_pauses, transfer_baselines, transfers
from services.errors import Refusal
from services.transfer_intents import intent_of, with_client
from services.transfer_links import Facts, facts_of, facts_of_present, link_to, member_of
from services.transfer_running import Paused, Running, fresh
from services.transfer_states import ASKS, DONE, LOOKING_UP, SENDING, UNCERTAIN_FOR_GOOD, WAITING, move
from services.unit import session, unit
from transfers.endpoints.imanage_endpoint import ImanageDestination
from transfers.errors import TransferError
from transfers.items import Absent, Found, Present, Undecided

MOST_SENDS = 3


class NotSaved(TransferError):
    """It did not arrive, and what broke it off would break it off again."""

    code = "transfer.not_saved"

    def __init__(self, because: str, next_step: str) -> None:
        self.next_step = next_step
        super().__init__(f"{because} Nothing was saved to iManage.")


def look_up(running: Running) -> str | None:
    """What became of a send whose answer never came: there, not there, or not to be told."""
    with unit():
        item = fresh(running)
        if item.state == SENDING:
            item.sent_at = utcnow()  # Its sender is gone; when the last byte left, nobody knows.
        move(item, LOOKING_UP)
        intent, sent_at = intent_of(item), item.sent_at
        claimed = _claimed(item)
    outcome = with_client(
        running,
        lambda client: ImanageDestination(client, intent.kind, intent.target_id).look_up(
            intent, now=utcnow(), last_sent_at=sent_at, claimed=claimed
        ),
    )
    if isinstance(outcome, Found):
        return received(running, outcome.present, ())
    with unit():
        item = fresh(running)
        for_good = item.error_code == UNCERTAIN_FOR_GOOD
        if isinstance(outcome, Undecided) and outcome.again_after is not None:
            item.wait_until = utcnow() + timedelta(seconds=outcome.again_after)
            if not for_good:
                item.error_code, item.error_sentence = "transfer.looking_up", outcome.because[:600]
            return None
        if isinstance(outcome, Absent) and (for_good or item.sends < MOST_SENDS):
            item.intent = item.announced_at = item.sent_at = None
            if not for_good:
                move(item, WAITING)
                return "announce"
    if for_good and isinstance(outcome, Absent):
        raise NotSaved(item.error_sentence, item.next_step)
    with unit():
        item = fresh(running)
        move(item, ASKS)
        item.error_code = "transfer.undecided"
        item.error_sentence = outcome.because[:600]
        item.next_step = "Look in iManage whether it arrived, then choose."
        audit.record(
            member_of(item.transfer),
            "transfer.undecided",
            item.name,
            subject_id=item.id,
            matter_id=item.transfer.matter_id,
            server_id=item.transfer.server_id,
            outcome="failed",
            because=outcome.because,
        )
    return None


def settle(running: Running) -> str | None:
    """Read back what iManage holds now, and keep its word: link, audit and the end in one commit."""
    receipt: Facts = fresh(running).receipt or {}
    facts = _read_back(running, receipt)
    with unit(soon=True) as writing:
        item = fresh(running)
        transfer = item.transfer
        server = writing.get_one(Server, transfer.server_id)
        item.receipt = facts
        version = writing.get(Version, item.version_id) if item.version_id else None
        if version is not None:
            link_to(item, server, version, "saved", facts)
        server_pauses.note_success(server.id)
        move(item, DONE)
        transfers.clear_error(item)
        transfers.finish_if_over(transfer)
        audit.record(
            member_of(transfer),
            "transfer.saved",
            f"{item.name} as {facts['library']} {facts['number']} v{facts['version']}",
            subject_id=item.version_id,
            matter_id=transfer.matter_id,
            server_id=server.id,
            stored=facts["id"],
            sha256=item.sha256,
            size=item.size,
        )
    return None


def _read_back(running: Running, receipt: Facts) -> Facts:
    """What iManage says of it now; where we may not ask any more or get no answer, what it said when it stored it."""
    try:
        running.require_allowed()
        stored = with_client(running, lambda client: remote_documents.profile(client, receipt["id"]))
    except (Refusal, ImanageError, Paused):
        return receipt
    item = fresh(running)
    server = session().get_one(Server, item.transfer.server_id)
    transfer_baselines.note_comment(server.id, intent_of(item).mark, stored.comment)
    return facts_of(server, stored)


def received(running: Running, present: Present, warnings: tuple[str, ...]) -> str:
    """It is there: on record before anything else is asked, so that a crash from here on asks no more.

    Should a power cut take this back, the intent still stands, and what was stored is looked up and found.
    """
    with unit(soon=True) as writing:
        item = fresh(running)
        server = writing.get_one(Server, item.transfer.server_id)
        item.receipt = facts_of_present(server, present)
        item.warnings = list(warnings)
        item.bytes_done = item.size or item.bytes_done
    return "settle"


def _claimed(item: TransferItem) -> set[str]:
    """What other saves are known to have made on this server: none of it can be this one's."""
    since = cast(datetime, item.announced_at) - timedelta(days=1)
    links = session().execute(
        select(Link.library, Link.number, Link.version).where(
            Link.server_id == item.transfer.server_id,
            Link.direction == "saved",
            Link.created_at >= since,
        )
    )
    made = {f"{library}!{number}.{version}" for library, number, version in links}
    receipts = session().scalars(
        select(TransferItem.receipt)
        .join(Transfer)
        .where(
            Transfer.server_id == item.transfer.server_id,
            Transfer.kind == "save",
            TransferItem.id != item.id,
            TransferItem.announced_at >= since,
        )
    )
    return made | {str(receipt["id"]) for receipt in receipts if receipt and "id" in receipt}
