"""The end of a save: what became of a send whose answer was lost, and what is kept of one that arrived."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, bindparam, select

from imanage import documents as remote_documents
from imanage.errors import ImanageError
from models import Link, Transfer, TransferItem, Version, utcnow
from services import audit, transfer_baselines
from services.clock import clock
from services.errors import Refusal
from services.transfer_ends import Held, end, hold
from services.transfer_intents import intent_of, with_client
from services.transfer_landing import LINGER_SECONDS
from services.transfer_links import ADD_LINKS, Facts, facts_of, facts_of_present, link_values, member_of
from services.transfer_running import Running, fresh, how_many
from services.transfer_standing import Paused
from services.transfer_states import ASKS, LOOKING_UP, SENDING, UNCERTAIN_FOR_GOOD, WAITING, move
from services.transfer_tasks import Claim, Stored
from services.transfer_together import Together
from services.unit import release, session, unit
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
        if item.state == SENDING or (item.sent_at and item.sent_at > utcnow()):
            # Its sender is gone, or the clock was set back; when the last byte left, nobody knows.
            item.sent_at = utcnow()
        move(item, LOOKING_UP)
        intent, sent_at = intent_of(item), item.sent_at and clock.by_now(item.sent_at)
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
    """Keep what iManage holds now, by its own word: link, audit and the end in one commit."""
    stored = running.stored
    if stored is None:
        item = fresh(running)
        receipt, warnings = item.receipt or {}, tuple(item.warnings or ())
        release()
        stored = Stored(_read_back(running, receipt), warnings)
    _together(Saved(running.claim, stored))
    running.is_over = True
    return None


@dataclass(frozen=True)
class Saved:
    """What iManage holds now."""

    claim: Claim
    stored: Stored


def _write(saved: Sequence[Saved]) -> list[Exception | None]:
    with unit(soon=True) as current:
        writing = current.connection()
        held = hold(writing, [each.claim for each in saved])
        ours = [(each, item) for each in saved if isinstance(item := held[each.claim.item_id], Held)]
        if ours:
            _end(writing, ours)
    return [None if isinstance(item, Held) else item for item in (held[each.claim.item_id] for each in saved)]


_together = Together(_write, linger=LINGER_SECONDS, others=how_many)


_DOCUMENTS = select(Version.id, Version.document_id).where(Version.id.in_(bindparam("ids", expanding=True)))


def _end(writing: Connection, saved: Sequence[tuple[Saved, Held]]) -> None:
    held = [item for _, item in saved]
    wanted = [item.version_id for item in held if item.version_id]
    versions = writing.execute(_DOCUMENTS, {"ids": wanted})
    documents: dict[uuid.UUID | None, uuid.UUID] = {row.id: row.document_id for row in versions}
    links = [
        link_values(
            "saved",
            each.stored.receipt,
            server_id=item.server_id,
            document_id=documents[item.version_id],
            version_id=item.version_id,
            member_id=item.member_id,
            checksum=item.sha256,
        )
        for each, item in saved
        if item.version_id is not None and item.version_id in documents
    ]
    if links:
        writing.execute(ADD_LINKS, links)
    values, events = {}, []
    for each, item in saved:
        facts = each.stored.receipt
        values[item.id] = {
            "receipt": facts,
            "warnings": list(each.stored.warnings),
            "bytes_done": item.size or 0,
        }
        events.append(
            audit.event(
                item.actor,
                "transfer.saved",
                f"{item.name} as {facts['library']} {facts['number']} v{facts['version']}",
                subject_id=item.version_id,
                matter_id=item.matter_id,
                server_id=item.server_id,
                stored=facts["id"],
                sha256=item.sha256,
                size=item.size,
            )
        )
    end(writing, held, SENDING, values)
    audit.record_all(events)


def _read_back(running: Running, receipt: Facts) -> Facts:
    """What iManage says of it now; where we may not ask any more or get no answer, what it said when it stored it."""
    if running.is_stopping:
        return receipt
    try:
        running.require_allowed(is_stored=True)
        stored = with_client(running, lambda client: remote_documents.profile(client, receipt["id"]))
    except (Refusal, ImanageError, Paused):
        return receipt
    transfer_baselines.note_comment(
        cast(uuid.UUID, running.task.server_id), running.task.mark, stored.comment
    )
    return facts_of(running.line.endpoints, stored)


def received(running: Running, present: Present, warnings: tuple[str, ...]) -> str:
    """It is there. In one go it is read back and put on record with the end; else before anything else is asked.

    Should the process end or a power cut take this back, the intent still stands, and what was stored is looked up
    and found.
    """
    stored = Stored(facts_of_present(running.line.endpoints, present), warnings)
    if running.in_one_go:
        running.stored = stored
        running.stored = Stored(_read_back(running, stored.receipt), warnings)
        return "settle"
    with unit(soon=True):
        item = fresh(running)
        item.receipt = stored.receipt
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
