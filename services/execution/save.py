"""Save one version to iManage: announce what will be sent, then send it once. outcome.py has what comes afterwards.

The intent is committed before the first byte leaves, and nothing is sent again before its outcome is resolved.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from copying import copy as copying_copy
from copying import outcome
from copying.errors import CheckedOutError, MovedOnError, StoredDifferentError
from copying.imanage_endpoint import ImanageDestination
from copying.store_endpoint import StoreSource
from copying.values import (
    Intent,
    Known,
    NewDocument,
    NewVersion,
    Progress,
    Receipt,
    Replace,
    SourceFacts,
    Target,
)
from imanage import documents as remote_documents
from imanage.client import Client
from imanage.types import Document
from models import Connection, Version, utcnow
from services.core.errors import RefusedError
from services.core.group_commit import GroupCommit
from services.core.runtime import runtime
from services.core.text.file_names import split
from services.core.unit_of_work import optimistic, release, session, unit_of_work
from services.execution import checksums, conflicts, folder_snapshots
from services.execution.authorization import PausedError
from services.execution.completion import Held, change, hold
from services.execution.item_run import Claim, ItemRun, Outgoing, Task, active_count, current
from services.execution.outcome import finish, read_back
from services.guidance.refusals import refusal
from services.transfers import decisions, lifecycle
from services.transfers.states import ItemState, move, require

READ_AHEAD_BYTES = 256 << 10
"""Files up to this size are read into memory before the slot is taken, so that no slot waits for the store."""
LINGER_SECONDS = 0.02
"""How long an announcement waits for others to share its commit. No slot is held meanwhile."""


def send(run: ItemRun) -> str | None:
    """Announce and send. Returns the next step; None where the item is done or waits for a decision."""
    with ExitStack() as announcement:
        announcement.enter_context(run.announced())
        target, outgoing = _target_of(run.task), _outgoing(run)
        try:
            by_mark, baseline = _baseline(run, target)
            before = None
            if not isinstance(target, Replace):
                before = outcome.sent_before(baseline, run.task.mark, outgoing.sha256)
            if before is not None:
                baseline = tuple(known for known in baseline if known is not before)
            elif run.task.based_on is not None:
                _require_not_moved_on(baseline, run.task.based_on)
        except MovedOnError as error:
            _ask(run, error)
            return None
        intent = outcome.announce(
            target,
            _facts(outgoing, run.task),
            operator=outgoing.operator,
            now=utcnow(),
            baseline=baseline,
            mark=run.task.mark,
            comment=run.task.note or None,
            needs_mark=by_mark,
            profile=run.task.profile,
        )
        if before is not None:
            _note_sent_before(run, intent)
            return "resolve"
        announce(Announced(run.claim, intent))
        return _deliver(run, intent, announcement)


def _note_sent_before(run: ItemRun, intent: Intent) -> None:
    """The row comes from an older backup: iManage already has the version that it is about to send."""
    with unit_of_work(relaxed_durability=True):
        item = current(run)
        item.intent = intent.record()
        item.announced_at = intent.announced_at
        item.sent_at = utcnow()
        lifecycle.clear_error(item)
        move(item, ItemState.SENDING)


def _baseline(run: ItemRun, target: Target) -> tuple[bool, tuple[Known, ...]]:
    """Whether only our mark tells our version from newer ones, and what the target holds now.

    Many saves into one folder share one reading of it; a repeated send reads it again.
    """
    task = run.task
    assert task.server_id is not None

    def read(*, quick: bool = False) -> tuple[Known, ...]:
        return run.with_client(lambda client: ImanageDestination(client, target).baseline(quick=quick))

    if isinstance(target, NewDocument) and not task.sends:
        by_mark = folder_snapshots.keeps_marks(task.server_id)
        shared = folder_snapshots.shared(
            task.member_id,
            task.server_id,
            target.folder_id,
            partial(read, quick=by_mark),
            by_mark=by_mark,
        )
        return by_mark, shared
    return False, read()


def _facts(outgoing: Outgoing, task: Task) -> SourceFacts:
    name = split(task.name if isinstance(task.target, NewDocument) else outgoing.file_name)
    return SourceFacts(name.stem, name.extension, outgoing.size, outgoing.sha256, "Counterpart")


def _target_of(task: Task) -> Target:
    assert task.target is not None
    return task.target


def _outgoing(run: ItemRun) -> Outgoing:
    if run.outgoing is not None and run.outgoing.is_recent:
        return run.outgoing
    task = run.task
    row = (
        session()
        .execute(
            select(Version.file_name, Version.size, Version.sha256, Connection.imanage_user)
            .outerjoin(
                Connection,
                (Connection.member_id == task.member_id) & (Connection.server_id == task.server_id),
            )
            .where(Version.id == task.version_id)
        )
        .one_or_none()
    )
    release()
    if row is None:
        raise refusal(RefusedError, "document.gone")
    return Outgoing(*row)


@dataclass(frozen=True)
class Announced:
    """A send that is about to begin."""

    claim: Claim
    intent: Intent


@dataclass(frozen=True)
class _Changes:
    """The changed rows of several items, and the error of each claim."""

    errors: Sequence[Exception | None]
    rows: Sequence[dict[str, Any]]


def _write(announced: Sequence[Announced]) -> Sequence[Exception | None]:
    """Commit intents and the state SENDING, flushed to disk before the first byte leaves."""
    return optimistic(partial(_prepare, announced), _apply)


def _prepare(announced: Sequence[Announced], reading: Session) -> _Changes:
    held, errors = hold(reading.connection(), [each.claim for each in announced])
    ours = [(each.intent, held[each.claim]) for each in announced if each.claim in held]
    return _Changes(errors, [_sending(item, intent) for intent, item in ours])


def _sending(item: Held, intent: Intent) -> dict[str, Any]:
    require(item.state, ItemState.SENDING)
    now = utcnow()
    return {
        "of_item": item.id,
        "state": ItemState.SENDING,
        "state_at": now,
        "intent": intent.record(),
        "announced_at": intent.announced_at,
        "sent_at": now,
        "sends": item.sends + 1,
        "bytes_done": 0,
    }


def _apply(writing: Session, changes: _Changes) -> Sequence[Exception | None]:
    change(writing.connection(), changes.rows)
    return changes.errors


announce = GroupCommit(_write, linger=LINGER_SECONDS, expected=active_count)
"""Group commit of announcements."""


def _deliver(run: ItemRun, intent: Intent, announcement: ExitStack) -> str | None:
    """Send and read back in one slot, then commit the end. Once bytes move, the announcement's limit is free again.

    A profile that the send has shown is not read.
    """
    source = StoreSource(runtime().blobs, intent.sha256, intent.name, intent.extension)
    shown: Document | None = None

    def on_progress(progress: Progress) -> None:
        announcement.close()
        run.on_progress(progress)

    def deliver(client: Client) -> Receipt:
        nonlocal shown
        destination = ImanageDestination(client, intent.target)
        try:
            return copying_copy.send(
                source, destination, intent, on_progress=on_progress, should_stop=run.should_stop()
            )
        except StoredDifferentError as error:
            if error.what == "size" or not checksums.is_ours_under_another_checksum(
                client, cast(uuid.UUID, run.task.server_id), error.present.id, intent.sha256, intent.size
            ):
                raise
            return replace(error.receipt, present=replace(error.present, sha256=intent.sha256))
        finally:
            shown = destination.document

    with ExitStack() as slot:
        try:
            if intent.size <= READ_AHEAD_BYTES:
                source.read_ahead()
            slot.enter_context(run.in_slot())
            receipt = run.with_client(deliver)
        except (MovedOnError, CheckedOutError) as error:
            _ask(run, error)
            return None
        except StoredDifferentError as error:
            conflicts.ask_what_was_stored(run, error)
            return None
        except Exception as error:
            with unit_of_work():
                # The quiet time before resolving counts from the end of the broken send, not from its beginning.
                current(run).sent_at = None if _nothing_was_stored(error) else utcnow()
            raise
        stored = read_back(run, receipt.present, receipt.warnings, shown)
    finish(run, stored)
    return None


def _ask(run: ItemRun, error: MovedOnError | CheckedOutError) -> None:
    """Nothing was sent: show both sides and let the member decide."""
    target = run.task.target
    assert isinstance(target, NewVersion | Replace)
    theirs = run.with_client(lambda client: remote_documents.profile(client, target.onto, latest=True))
    question = decisions.CHECKED_OUT if isinstance(error, CheckedOutError) else decisions.MOVED_ON
    conflicts.ask(run, question, theirs)


def _nothing_was_stored(error: Exception) -> bool:
    """Whether the send certainly did not happen, so that it can be repeated without resolving an outcome."""
    if isinstance(error, RefusedError | PausedError):
        return True  # Access was refused before a byte left, or the run had no slot yet.
    return getattr(error, "retry", "resolve") != "resolve"


def _require_not_moved_on(baseline: Sequence[Known], based_on: int) -> None:
    latest = max((known.id for known in baseline), key=lambda id: id.version, default=None)
    if latest is not None and latest.version > based_on:
        raise MovedOnError(latest.document.at(based_on), latest)
