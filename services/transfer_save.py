"""The first steps of a save: announce what will be sent, then send it once. transfer_settle.py has the others.

What reaches iManage is on record before it is sent, and nothing is sent again before it was looked up.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from imanage import documents as remote_documents
from imanage.client import Client
from imanage.ids import DocumentId
from models import Connection, Transfer, Version, utcnow
from services import transfer_baselines, transfer_choices, transfers
from services.errors import Refusal
from services.file_names import split
from services.house import house
from services.transfer_intents import intent_of, kind_of, with_client
from services.transfer_running import Running, fresh
from services.transfer_settle import received
from services.transfer_states import SENDING, move
from services.unit import session, unit
from transfers import copying, settling
from transfers.endpoints.imanage_endpoint import ImanageDestination
from transfers.endpoints.store_endpoint import StoreSource
from transfers.errors import CheckedOut, MovedOn, StoredDifferent
from transfers.items import Intent, Known, Receipt, SourceFacts


def announce(running: Running) -> str | None:
    """Put on record what will be sent and what is there before it is."""
    item = fresh(running)
    version = session().get(Version, item.version_id) if item.version_id else None
    if version is None:
        raise Refusal("The document is no longer in the matter.", code="document.gone")
    name = item.name if item.target == transfers.NEW_DOCUMENT else version.file_name
    file = split(version.file_name)
    stem = name.removesuffix(f".{file.extension}") if file.extension else name
    target, target_id = kind_of(item), item.target_id
    facts = SourceFacts(stem, file.extension, version.size, version.sha256, "Counterpart")
    based_on = item.based_on
    operator = _operator(item.transfer)
    mark = f"[Counterpart {item.id.hex[:12]}]"
    note = item.note or None
    member_id, server_id = item.transfer.member_id, item.transfer.server_id
    assert server_id is not None
    is_shared = target == transfers.NEW_DOCUMENT and not item.sends
    by_mark = is_shared and transfer_baselines.keeps_marks(server_id)
    was_sent = False

    def look(client: Client) -> Intent:
        nonlocal was_sent
        read = ImanageDestination(client, target, target_id).baseline
        baseline = (
            transfer_baselines.shared(member_id, server_id, target_id, read, by_mark=by_mark)
            if is_shared
            else read()
        )
        before = settling.sent_before(baseline, mark, version.sha256) if target != transfers.REPLACE else None
        was_sent = before is not None
        if was_sent:
            baseline = tuple(known for known in baseline if known is not before)
        elif based_on is not None:
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
            needs_mark=by_mark,
        )

    try:
        intent = with_client(running, look)
    except MovedOn as error:
        _ask(running, error)
        return None
    with unit(soon=True):
        item = fresh(running)
        item.intent = intent.record()
        item.announced_at = intent.announced_at
        transfers.clear_error(item)
        if was_sent:
            move(item, SENDING)
            item.sent_at = utcnow()
            return "look_up"
    return "send"


def send(running: Running) -> str | None:
    """Send once. A second call finds the mark of the first and goes to look."""
    with unit():
        item = fresh(running)
        if item.sent_at is not None:
            return "look_up"
        move(item, SENDING)
        item.sent_at = utcnow()
        item.sends += 1
        item.bytes_done = 0
        intent = intent_of(item)

    def deliver(client: Client) -> Receipt:
        return copying.send(
            StoreSource(house().blobs, intent.sha256, intent.name, intent.extension),
            ImanageDestination(client, intent.kind, intent.target_id),
            intent,
            on_progress=running.on_progress(),
            should_stop=running.should_stop(),
        )

    try:
        receipt = with_client(running, deliver)
    except (MovedOn, CheckedOut) as error:
        _ask(running, error)
        return None
    except Exception as error:
        with unit():
            # The quiet time of a look-up counts from when the send broke off, not from when it began.
            fresh(running).sent_at = None if _nothing_was_stored(error) else utcnow()
        raise
    return received(running, receipt.present, receipt.warnings)


def _ask(running: Running, error: MovedOn | CheckedOut) -> None:
    """Both sides side by side, and a person chooses. Nothing was sent."""
    with unit():
        target_id = fresh(running).target_id
    theirs = with_client(running, lambda client: remote_documents.profile(client, target_id, latest=True))
    question = transfer_choices.CHECKED_OUT if isinstance(error, CheckedOut) else transfer_choices.MOVED_ON
    transfer_choices.ask(running, question, theirs)


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


def _operator(transfer: Transfer) -> str | None:
    return session().scalar(
        select(Connection.imanage_user).where(
            Connection.member_id == transfer.member_id, Connection.server_id == transfer.server_id
        )
    )
