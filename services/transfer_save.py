"""The steps of a save: announce what will be sent, send it once, look up a lost answer, settle.

What reaches iManage is on record before it is sent, and nothing is sent again before it was looked up.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import select

from imanage import documents as remote_documents
from imanage.client import Client
from imanage.errors import ImanageError
from imanage.ids import DocumentId
from models import Connection, Link, Server, Transfer, TransferItem, Version, utcnow
from services import audit, connections, transfers
from services.errors import Refusal
from services.file_names import split
from services.house import house
from services.transfer_links import Facts, facts_of, facts_of_present, link_to, member_of
from services.transfer_running import Running, fresh
from services.transfer_states import ASKS, DONE, LOOKING_UP, SENDING, UNCERTAIN_FOR_GOOD, WAITING, move
from services.unit import session, unit
from transfers import copying, settling
from transfers.endpoints.imanage_endpoint import ImanageDestination
from transfers.endpoints.store_endpoint import StoreSource
from transfers.errors import MovedOn, StoredDifferent, TransferError
from transfers.items import Absent, Found, Intent, Known, Present, Receipt, SourceFacts, TargetKind, Undecided

T = TypeVar("T")
MOST_SENDS = 3


class NotSaved(TransferError):
    """It did not arrive, and what broke it off would break it off again."""

    code = "transfer.not_saved"

    def __init__(self, because: str) -> None:
        super().__init__(f"{because} Nothing was saved to iManage.")


def announce(running: Running) -> str:
    """Put on record what will be sent and what is there before it is."""
    with unit():
        item = fresh(running)
        version = session().get(Version, item.version_id) if item.version_id else None
        if version is None:
            raise Refusal("The document is no longer in the matter.", code="document.gone")
        name = item.name if item.target == transfers.NEW_DOCUMENT else version.file_name
        file = split(version.file_name)
        stem = name.removesuffix(f".{file.extension}") if file.extension else name
        target, target_id = _kind(item), item.target_id
        facts = SourceFacts(stem, file.extension, version.size, version.sha256, "Counterpart")
        based_on = item.based_on
        operator = _operator(item.transfer)
        mark = f"[Counterpart {item.id.hex[:12]}]"
        note = item.note or None

    def look(client: Client) -> Intent:
        baseline = ImanageDestination(client, target, target_id).baseline()
        if based_on is not None:
            _require_not_moved_on(baseline, based_on)
        return settling.announce(
            target,
            target_id,
            facts,
            operator=operator,
            now=utcnow(),
            baseline=baseline,
            mark=mark,
            comment=note,
        )

    intent = _with_client(running, look)
    with unit():
        item = fresh(running)
        item.intent = intent.record()
        item.announced_at = intent.announced_at
        transfers.clear_error(item)
    return "send"


def send(running: Running) -> str:
    """Send once. A second call finds the mark of the first and goes to look."""
    with unit():
        item = fresh(running)
        if item.sent_at is not None:
            return "look_up"
        move(item, SENDING)
        item.sent_at = utcnow()
        item.sends += 1
        item.bytes_done = 0
        intent = _intent(item)

    def deliver(client: Client) -> Receipt:
        return copying.send(
            StoreSource(house().blobs, intent.sha256, intent.name, intent.extension),
            ImanageDestination(client, intent.kind, intent.target_id),
            intent,
            on_progress=running.on_progress(),
            should_stop=running.should_stop(),
        )

    try:
        receipt = _with_client(running, deliver)
    except Exception as error:
        with unit():
            # The quiet time of a look-up counts from when the send broke off, not from when it began.
            fresh(running).sent_at = None if _nothing_was_stored(error) else utcnow()
        raise
    return _received(running, receipt.present, receipt.warnings)


def look_up(running: Running) -> str | None:
    """What became of a send whose answer never came: there, not there, or not to be told."""
    with unit():
        item = fresh(running)
        if item.state == SENDING:
            item.sent_at = utcnow()  # Its sender is gone; when the last byte left, nobody knows.
        move(item, LOOKING_UP)
        intent, sent_at = _intent(item), item.sent_at
        claimed = _claimed(item)
    outcome = _with_client(
        running,
        lambda client: ImanageDestination(client, intent.kind, intent.target_id).look_up(
            intent, now=utcnow(), last_sent_at=sent_at, claimed=claimed
        ),
    )
    if isinstance(outcome, Found):
        return _received(running, outcome.present, ())
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
        raise NotSaved(item.error_sentence)
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
    with unit():
        receipt: Facts = fresh(running).receipt or {}
    facts = _read_back(running, receipt)
    with unit() as writing:
        item = fresh(running)
        transfer = item.transfer
        server = writing.get_one(Server, transfer.server_id)
        item.receipt = facts
        version = writing.get(Version, item.version_id) if item.version_id else None
        if version is not None:
            link_to(item, server, version, "saved", facts)
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
        stored = _with_client(running, lambda client: remote_documents.profile(client, receipt["id"]))
    except (Refusal, ImanageError):
        return receipt
    return facts_of(session().get_one(Server, fresh(running).transfer.server_id), stored)


def _received(running: Running, present: Present, warnings: tuple[str, ...]) -> str:
    """It is there: on record before anything else is asked, so that a crash from here on asks no more."""
    with unit() as writing:
        item = fresh(running)
        server = writing.get_one(Server, item.transfer.server_id)
        item.receipt = facts_of_present(server, present)
        item.warnings = list(warnings)
        item.bytes_done = item.size or item.bytes_done
    return "settle"


def _nothing_was_stored(error: Exception) -> bool:
    """Whether the send surely did not happen, so that it may be made anew without looking."""
    if isinstance(error, Refusal):
        return True  # The connection was refused to us before a byte left.
    if isinstance(error, StoredDifferent):
        return False
    return getattr(error, "retry", "look_up") != "look_up"


def _require_not_moved_on(baseline: Sequence[Known], based_on: int) -> None:
    versions = [DocumentId.parse(known.id) for known in baseline]
    latest = max(versions, key=lambda each: each.version or 0, default=None)
    if latest is not None and (latest.version or 0) > based_on:
        raise MovedOn(f"{latest.library}!{latest.number}.{based_on}", str(latest))


def _with_client(running: Running, call: Callable[[Client], T]) -> T:
    transfer = fresh(running).transfer
    member_id, server_id = transfer.member_id, cast(uuid.UUID, transfer.server_id)
    return connections.with_client(member_id, server_id, call)


def _kind(item: TransferItem) -> TargetKind:
    return cast(TargetKind, item.target)


def _intent(item: TransferItem) -> Intent:
    return Intent.from_record(cast(dict[str, Any], item.intent))


def _operator(transfer: Transfer) -> str | None:
    return session().scalar(
        select(Connection.imanage_user).where(
            Connection.member_id == transfer.member_id, Connection.server_id == transfer.server_id
        )
    )


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
