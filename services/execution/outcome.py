"""The outcome of a save: resolved where its answer was lost, read back and committed where it was stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from copying.errors import TransferError
from copying.imanage_endpoint import ImanageDestination
from copying.values import Absent, Found, Present, Undecided
from imanage import documents as remote_documents
from imanage.errors import ImanageError
from imanage.ids import VersionId
from imanage.types import Document
from models import Link, Transfer, TransferItem, Version, utcnow
from services.core import audit
from services.core.errors import RefusedError
from services.core.group_commit import GroupCommit
from services.core.unit_of_work import optimistic, session, unit_of_work
from services.core.wall_clock import clock
from services.execution import conflicts, folder_snapshots
from services.execution.authorization import PausedError
from services.execution.completion import Ending, Held, end, hold
from services.execution.item_run import (
    Claim,
    ItemRun,
    SavedVersion,
    active_count,
    actor_of,
    current,
    intent_of,
)
from services.execution.landing import LINGER_SECONDS
from services.guidance.refusals import refusal
from services.transfers import decisions, lifecycle
from services.transfers.link_facts import Facts, facts_of, facts_of_present, link_values, stored_id
from services.transfers.outcomes import Outcome
from services.transfers.requests import REPLACE
from services.transfers.states import UNCERTAIN_FOR_GOOD, ItemState, move

MOST_SENDS = 3


class NotSavedError(TransferError):
    """It was not stored, and sending again would meet the same error."""

    code = "transfer.not_saved"

    def __init__(self, because: str, next_step: str) -> None:
        self.because, self.next_step = because, next_step
        super().__init__(because)


def resolve(run: ItemRun) -> str | None:
    """Find out what became of a send whose answer never came: stored, not stored, or undecided."""
    with unit_of_work():
        item = current(run)
        if item.state == ItemState.SENDING or (item.sent_at and item.sent_at > utcnow()):
            # The sending worker is gone, or the clock was set back: the last byte may have left only now.
            item.sent_at = utcnow()
        move(item, ItemState.RESOLVING)
        intent, sent_at = intent_of(item), item.sent_at and clock.adjusted(item.sent_at)
        claimed = _claimed(item)
    with run.in_slot():
        outcome = run.with_client(
            lambda client: ImanageDestination(client, intent.target).resolve(
                intent, now=utcnow(), last_sent_at=sent_at, claimed=claimed
            )
        )
        stored = read_back(run, outcome.present, ()) if isinstance(outcome, Found) else None
    if stored is not None:
        finish(run, stored)
        return None
    with unit_of_work():
        item = current(run)
        for_good = item.error_code == UNCERTAIN_FOR_GOOD
        if isinstance(outcome, Undecided) and outcome.again_after is not None:
            item.wait_until = utcnow() + timedelta(seconds=outcome.again_after)
            if not for_good:
                lifecycle.set_error(
                    item, refusal(RefusedError, "transfer.looking_up", because=outcome.because)
                )
            return None
        if isinstance(outcome, Absent) and (for_good or item.sends < MOST_SENDS):
            item.intent = item.announced_at = item.sent_at = None
            if not for_good:
                move(item, ItemState.WAITING)
                return "send"
    if for_good and isinstance(outcome, Absent):
        raise NotSavedError(item.error_sentence, item.next_step)
    with unit_of_work():
        item = current(run)
        move(item, ItemState.NEEDS_DECISION)
        if isinstance(outcome, Undecided) and len(outcome.candidates) == 1:
            conflicts.show(item, decisions.UNDECIDED, outcome.candidates[0])
        lifecycle.set_error(item, refusal(RefusedError, "transfer.undecided", because=outcome.because))
        audit.record(
            actor_of(item.transfer.member_id),
            "transfer.undecided",
            item.name,
            subject_id=item.id,
            matter_id=item.transfer.matter_id,
            server_id=item.transfer.server_id,
            outcome="failed",
            because=outcome.because,
        )
    return None


def finish(run: ItemRun, stored: SavedVersion) -> None:
    """Commit link, audit event and the end of the item, together with other saves that end at the same moment."""
    _group_commit(FinishedSave(run.claim, stored))
    run.is_over = True


@dataclass(frozen=True)
class FinishedSave:
    """A save that iManage has stored."""

    claim: Claim
    stored: SavedVersion


@dataclass(frozen=True)
class _Changes:
    """The rows to write for several items, and the error of each claim."""

    errors: Sequence[Exception | None]
    ending: Ending


def _write(saved: Sequence[FinishedSave]) -> Sequence[Exception | None]:
    return optimistic(partial(_prepare, saved), _apply, relaxed_durability=True)


_group_commit = GroupCommit(_write, linger=LINGER_SECONDS, expected=active_count)


_DOCUMENTS = select(Version.id, Version.document_id).where(Version.id.in_(bindparam("ids", expanding=True)))


def _prepare(saved: Sequence[FinishedSave], session: Session) -> _Changes:
    reading = session.connection()
    held, errors = hold(reading, [each.claim for each in saved])
    ours = [(each.stored, held[each.claim]) for each in saved if each.claim in held]
    versions = reading.execute(_DOCUMENTS, {"ids": [item.version_id for _, item in ours if item.version_id]})
    documents: dict[uuid.UUID | None, uuid.UUID] = {row.id: row.document_id for row in versions}
    links = [
        link_values(
            "saved",
            stored.receipt,
            server_id=item.server_id,
            document_id=documents[item.version_id],
            version_id=item.version_id,
            member_id=item.member_id,
            checksum=item.sha256,
        )
        for stored, item in ours
        if item.version_id is not None and item.version_id in documents
    ]
    values = {
        item.id: {
            "receipt": stored.receipt,
            "outcome": (Outcome.REPLACED if item.target == REPLACE else Outcome.SAVED).value,
            "warnings": list(stored.warnings),
            "bytes_done": item.size or 0,
        }
        for stored, item in ours
    }
    events = [_event(item, stored.receipt) for stored, item in ours]
    return _Changes(errors, Ending([item for _, item in ours], links, values, events))


def _event(item: Held, facts: Facts) -> audit.Event:
    return audit.event(
        item.actor,
        "transfer.saved",
        f"{item.name} as {facts['library']} {facts['number']} v{facts['version']}",
        subject_id=item.version_id,
        matter_id=item.matter_id,
        server_id=item.server_id,
        stored=facts["id"],
        replaced=facts["version"] if item.target == REPLACE else "",
        sha256=item.sha256,
        size=item.size,
    )


def _apply(writing: Session, changes: _Changes) -> Sequence[Exception | None]:
    end(writing.connection(), changes.ending, ItemState.SENDING)
    return changes.errors


def read_back(
    run: ItemRun, present: Present, warnings: tuple[str, ...], profile: Document | None = None
) -> SavedVersion:
    """The profile of the stored version, read unless the send has shown it; failing that, the receipt of the send.

    Nothing is committed yet: if the process ends here, the announced intent is resolved later.
    """
    if profile is None and not run.is_stopping:
        with suppress(RefusedError, ImanageError, PausedError):
            run.require_allowed(is_stored=True)
            profile = run.with_client(lambda client: remote_documents.profile(client, present.id))
    if profile is None:
        return SavedVersion(facts_of_present(run.cache.endpoints, present), warnings)
    folder_snapshots.note_comment(cast(uuid.UUID, run.task.server_id), run.task.mark, profile.comment)
    return SavedVersion(facts_of(run.cache.endpoints, profile), warnings)


def _claimed(item: TransferItem) -> set[VersionId]:
    """Versions on this server that are known to come from other saves."""
    since = cast(datetime, item.announced_at) - timedelta(days=1)
    links = session().execute(
        select(Link.library, Link.number, Link.version).where(
            Link.server_id == item.transfer.server_id,
            Link.direction == "saved",
            Link.created_at >= since,
        )
    )
    made = {VersionId(*link) for link in links}
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
    return made | {stored_id(receipt) for receipt in receipts if receipt and "id" in receipt}
