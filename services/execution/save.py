"""The first steps of a save: announce what will be sent, then send it once. transfer_settle.py has the others.

What reaches iManage is on record before it is sent, and nothing is sent again before it was looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from copying import copy as copying_copy
from copying import outcome
from copying.endpoints.imanage_endpoint import ImanageDestination
from copying.endpoints.store_endpoint import StoreSource
from copying.errors import CheckedOutError, MovedOnError, StoredDifferentError
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
from models import Connection, Version, utcnow
from services.core.errors import RefusedError
from services.core.group_commit import GroupCommit
from services.core.runtime import runtime
from services.core.text.file_names import split
from services.core.unit_of_work import optimistic, release, session, unit_of_work
from services.execution import conflicts, folder_snapshots
from services.execution.authorization import PausedError
from services.execution.completion import Held, change, hold
from services.execution.intents import intent_of, target_of, with_client
from services.execution.item_run import ItemRun, fresh, how_many
from services.execution.outcome import received
from services.execution.tasks import Claim, Outgoing, Task
from services.transfers import decisions, requests
from services.transfers.states import ItemState, move, require

SMALL = 256 << 10
"""Bytes that are read before there is a place, so that none is held meanwhile: no more than memory has for many."""
LINGER_SECONDS = 0.02
"""How long an announcement waits for others, to be flushed with them. It keeps no place meanwhile."""


def announce(run: ItemRun) -> str | None:
    """Put on record what will be sent and what is there before it is; in one go it is sent once it has a place."""
    with ExitStack() as turn:
        if run.in_one_go:
            turn.enter_context(run.in_turn())
        return _announce(run, turn)


def _announce(run: ItemRun, turn: ExitStack) -> str | None:
    task = run.task
    source = _source_of(run)
    target = target_of(task)
    try:
        by_mark, baseline = _baseline(run, target)
        before = (
            None if isinstance(target, Replace) else outcome.sent_before(baseline, task.mark, source.sha256)
        )
        if before is not None:
            baseline = tuple(known for known in baseline if known is not before)
        elif task.based_on is not None:
            _require_not_moved_on(baseline, task.based_on)
    except MovedOnError as error:
        _ask(run, error)
        return None
    intent = outcome.announce(
        target,
        _facts(source, task),
        operator=source.operator,
        now=utcnow(),
        baseline=baseline,
        mark=task.mark,
        comment=task.note or None,
        needs_mark=by_mark,
    )
    if run.in_one_go and before is None:
        on_record(Announced(run.claim, intent))
        return _deliver(run, intent, turn)
    with unit_of_work(relaxed_durability=True):
        item = fresh(run)
        item.intent = intent.record()
        item.announced_at = intent.announced_at
        requests.clear_error(item)
        if before is not None:
            move(item, ItemState.SENDING)
            item.sent_at = utcnow()
            return "look_up"
    return "send"


def _baseline(run: ItemRun, target: Target) -> tuple[bool, tuple[Known, ...]]:
    """What is there now, and whether only our mark tells ours from what has come since.

    Many saves into one folder stand on one reading of it; a repeated send reads it anew.
    """
    task = run.task
    assert task.server_id is not None

    def read(*, at_a_glance: bool = False) -> tuple[Known, ...]:
        return with_client(
            run,
            lambda client: ImanageDestination(client, target).baseline(at_a_glance=at_a_glance),
        )

    if isinstance(target, NewDocument) and not task.sends:
        by_mark = folder_snapshots.keeps_marks(task.server_id)
        shared = folder_snapshots.shared(
            task.member_id,
            task.server_id,
            target.folder_id,
            partial(read, at_a_glance=by_mark),
            by_mark=by_mark,
        )
        return by_mark, shared
    return False, read()


def _facts(source: Outgoing, task: Task) -> SourceFacts:
    name = split(task.name if isinstance(task.target, NewDocument) else source.file_name)
    return SourceFacts(name.stem, name.extension, source.size, source.sha256, "Counterpart")


def _source_of(run: ItemRun) -> Outgoing:
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
        raise RefusedError("The document is no longer in the matter.", code="document.gone")
    return Outgoing(*row)


@dataclass(frozen=True)
class Announced:
    """What is about to be sent."""

    claim: Claim
    intent: Intent


@dataclass(frozen=True)
class _Seen:
    """The rows that say so, and what is wrong with each."""

    errors: Sequence[Exception | None]
    rows: Sequence[dict[str, Any]]


def _write(announced: Sequence[Announced]) -> Sequence[Exception | None]:
    """Intent and sending in one commit, on the disk before the first byte leaves."""
    return optimistic(partial(_look, announced), _put)


def _look(announced: Sequence[Announced], current: Session) -> _Seen:
    held, errors = hold(current.connection(), [each.claim for each in announced])
    ours = [(each.intent, held[each.claim]) for each in announced if each.claim in held]
    return _Seen(errors, [_sending(item, intent) for intent, item in ours])


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


def _put(current: Session, seen: _Seen) -> Sequence[Exception | None]:
    change(current.connection(), seen.rows)
    return seen.errors


on_record = GroupCommit(_write, linger=LINGER_SECONDS, others=how_many)
"""Announce a send, together with all that are about to begin at this moment."""


def send(run: ItemRun) -> str | None:
    """Send what was announced, once. A second call finds the mark of the first and goes to look."""
    with unit_of_work():
        item = fresh(run)
        if item.sent_at is not None:
            return "look_up"
        move(item, ItemState.SENDING)
        item.sent_at = utcnow()
        item.sends += 1
        item.bytes_done = 0
        intent = intent_of(item)
    return _deliver(run, intent, ExitStack())


def _deliver(run: ItemRun, intent: Intent, turn: ExitStack) -> str | None:
    """Send, and read back what was stored, in one place. Once its bytes are on the way, its turn is another's."""
    source = StoreSource(runtime().blobs, intent.sha256, intent.name, intent.extension)

    def moves(progress: Progress) -> None:
        turn.close()
        run.on_progress(progress)

    def deliver(client: Client) -> Receipt:
        return copying_copy.send(
            source,
            ImanageDestination(client, intent.target),
            intent,
            on_progress=moves,
            should_stop=run.should_stop(),
        )

    with ExitStack() as place:
        try:
            if intent.size <= SMALL:
                source.read_ahead()
            place.enter_context(run.placed())
            receipt = with_client(run, deliver)
        except (MovedOnError, CheckedOutError) as error:
            _ask(run, error)
            return None
        except StoredDifferentError as error:
            conflicts.ask_what_was_stored(run, error)
            return None
        except Exception as error:
            with unit_of_work():
                # The quiet time of a look-up counts from when the send broke off, not from when it began.
                fresh(run).sent_at = None if _nothing_was_stored(error) else utcnow()
            raise
        return received(run, receipt.present, receipt.warnings)


def _ask(run: ItemRun, error: MovedOnError | CheckedOutError) -> None:
    """Both sides side by side, and a person chooses. Nothing was sent."""
    target = run.task.target
    assert isinstance(target, NewVersion | Replace)
    theirs = with_client(run, lambda client: remote_documents.profile(client, target.onto, latest=True))
    question = decisions.CHECKED_OUT if isinstance(error, CheckedOutError) else decisions.MOVED_ON
    conflicts.ask(run, question, theirs)


def _nothing_was_stored(error: Exception) -> bool:
    """Whether the send surely did not happen, so that it may be made anew without looking."""
    if isinstance(error, RefusedError | PausedError):
        return True  # The connection was refused to us before a byte left, or it had not got its place yet.
    return getattr(error, "retry", "look_up") != "look_up"


def _require_not_moved_on(baseline: Sequence[Known], based_on: int) -> None:
    latest = max((known.id for known in baseline), key=lambda id: id.version, default=None)
    if latest is not None and latest.version > based_on:
        raise MovedOnError(latest.document.at(based_on), latest)
