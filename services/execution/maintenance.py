"""Regular repairs by a worker: unfinished transfers, missed sign-ins, a clock set back, and bytes without a version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice

from sqlalchemy import and_, exists, or_, select, update

from models import Connection, ServerCircuit, Transfer, TransferItem, Version, utcnow
from services.core.runtime import runtime
from services.core.unit_of_work import release, session, unit_of_work
from services.core.wall_clock import clock
from services.execution.item_run import partial_tokens
from services.servers import circuit_breaker
from services.transfers import lifecycle
from services.transfers.states import FINISHED, LIVE, ItemState, move
from storage import StorageError, StoredBlob

SET_BACK = timedelta(minutes=1)
"""A time this far in the future was recorded before the clock was set back."""
SETTLED_AFTER = timedelta(seconds=10)
MOST_RESUMES = 20
UNUSED_FOR = timedelta(days=1)
PARTIALS_KEPT = timedelta(days=3)
BATCH = 500
MOST_DELETED = 10_000


def finish_ended_transfers() -> None:
    """Finish transfers whose last two items ended at the same moment: each end saw the other item as unfinished."""
    over = select(Transfer).where(Transfer.finished_at.is_(None), ~lifecycle.UNFINISHED).limit(BATCH)
    if session().scalar(over.with_only_columns(Transfer.id).limit(1)) is None:
        return
    with unit_of_work() as writing:
        for transfer in writing.scalars(over.with_for_update(skip_locked=True)):
            lifecycle.finish_if_over(transfer)


def resume_signed_in() -> int:
    """Resume items that wait for a sign-in that has happened, or for a server that has been removed; their number.

    The member may have signed in while the worker was recording that they have to.
    """
    signed_in = exists().where(
        Connection.member_id == Transfer.member_id,
        Connection.server_id == Transfer.server_id,
        Connection.state == "connected",
    )
    waiting = (
        select(TransferItem)
        .join(Transfer)
        .where(
            TransferItem.state == ItemState.NEEDS_SIGN_IN,
            TransferItem.state_at < utcnow() - SETTLED_AFTER,
            or_(
                Transfer.server_id.is_(None),
                and_(signed_in, TransferItem.attempt < MOST_RESUMES),
            ),
        )
        .limit(BATCH)
    )
    if session().scalar(waiting.with_only_columns(TransferItem.id).limit(1)) is None:
        return 0
    with unit_of_work() as writing:
        items = writing.scalars(waiting.with_for_update(of=TransferItem)).all()
        for item in items:
            move(item, ItemState.WAITING)
            item.wait_until = None
            item.attempt += 1
            lifecycle.clear_error(item)
        return len(items)


def adjust_to_clock() -> None:
    """Make waiting items due now if the clock was set back: they would wait longer by as much."""
    if not clock.was_set_back():
        return
    now = utcnow()
    with unit_of_work() as writing:
        writing.execute(
            update(TransferItem)
            .where(TransferItem.state.in_(LIVE), TransferItem.state_at > now + SET_BACK)
            .values(wait_until=None, state_at=now)
        )
        writing.execute(
            update(ServerCircuit)
            .where(ServerCircuit.open_until > now + circuit_breaker.LONGEST_RETRY_AFTER)
            .values(open_until=None)
        )


def sweep_store() -> int:
    """Delete old partial downloads and unused blobs; returns the number of these.

    Bytes are published before their row is written, so a blob counts as unused only after a day; if the same bytes
    arrive meanwhile, the store keeps them.
    """
    store = runtime().blobs
    store.sweep(PARTIALS_KEPT)
    limit = utcnow() - UNUSED_FOR
    old = (blob for blob in store.blobs() if blob.published_at < limit)
    deleted = 0
    for batch in _batches(old):
        for sha256 in _unnamed([blob.sha256 for blob in batch]):
            try:
                deleted += store.delete(sha256, unused_for=UNUSED_FOR)
            except StorageError:
                continue  # the next sweep finds it again
        if deleted >= MOST_DELETED:
            break
    return deleted


def forget_ended_gets() -> None:
    """Delete the partial downloads of gets that failed or were stopped: the space is needed."""
    ended = session().scalars(
        select(TransferItem.id)
        .join(Transfer)
        .where(
            TransferItem.state.in_(sorted(FINISHED - {ItemState.DONE})),
            TransferItem.state_at > utcnow() - PARTIALS_KEPT,
            Transfer.kind == "get",
        )
        .order_by(TransferItem.state_at.desc())
        .limit(BATCH)
    )
    tokens = [token for item_id in ended for token in partial_tokens(item_id)]
    release()
    for token in tokens:
        with suppress(StorageError):  # a replaced worker may still hold it; the sweep removes it later
            runtime().blobs.forget(token)


def _unnamed(sums: list[str]) -> set[str]:
    """Those that belong to no version and no unfinished item."""
    versions = select(Version.sha256).where(Version.sha256.in_(sums))
    under_way = select(TransferItem.sha256).where(
        TransferItem.sha256.in_(sums), TransferItem.state.not_in(sorted(FINISHED))
    )
    named = set(session().scalars(versions)) | set(session().scalars(under_way))
    release()
    return set(sums) - named


def _batches(blobs: Iterator[StoredBlob]) -> Iterator[list[StoredBlob]]:
    while batch := list(islice(blobs, BATCH)):
        yield batch
