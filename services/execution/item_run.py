"""One transfer item while a worker carries it out: the task, the claim, the right to continue, and the progress."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import contains_eager

from copying.copy import throttled
from copying.errors import StoppedError
from copying.ports import ShouldStop
from copying.values import Intent, Progress, Target, target
from imanage.client import Client
from imanage.ids import VersionId
from models import LIVE, Connection, Member, Server, ServerConcurrency, Transfer, TransferItem, Version
from services.connections import tokens
from services.connections.tokens import AccessCache
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.core.unit_of_work import is_writing, release, session
from services.execution import authorization
from services.execution.authorization import AuthorizationSnapshot, PausedError
from services.servers.concurrency import AT_ONCE
from services.transfers.signed_rows import Facts

T = TypeVar("T")
RESTARTING = "Counterpart is being restarted."


class TakenOverError(Exception):
    """Another worker holds the item now; this one writes nothing more."""


@dataclass(frozen=True)
class Task:
    """What to do: a get has a `source`, a save a `target`. Nothing of it changes during a run.

    `listed` is what a list said of the source.

    `at_once` is the server's limit of simultaneous transfers as it was when the item was claimed; None where the server
    has been removed.
    """

    id: uuid.UUID
    transfer_id: uuid.UUID
    kind: str
    position: int
    name: str
    source: VersionId | None
    version_id: uuid.UUID | None
    target: Target | None
    note: str
    based_on: int | None
    sends: int
    matter_id: uuid.UUID
    member_id: uuid.UUID
    server_id: uuid.UUID | None
    at_once: int | None
    listed: Facts | None = field(default=None, compare=False)
    profile: Mapping[str, str] | None = field(default=None, compare=False)

    @property
    def mark(self) -> str:
        """The mark in the comment of a saved version, by which it is recognised later."""
        return f"[Counterpart {self.id.hex[:12]}]"


@dataclass(frozen=True)
class Claim:
    """A claimed item. The next worker that claims it gets a higher fencing token."""

    item_id: uuid.UUID
    fencing_token: int


@dataclass(frozen=True)
class Outgoing:
    """The version that a save sends, and the member's user id in iManage, as they were at `read_at` (monotonic)."""

    file_name: str
    size: int
    sha256: str
    operator: str | None
    read_at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self.read_at < authorization.RECHECK_SECONDS


@dataclass(frozen=True)
class SavedVersion:
    """What iManage said of a save that it has stored."""

    receipt: dict[str, Any]
    warnings: tuple[str, ...]


class Limiter(Protocol):
    """How many items of one server move at a time in this process. See jobs/slots.py."""

    def slot(self, task: Task) -> AbstractContextManager[None]:
        """Waits for a slot of the task's server."""

    def announcement(self, task: Task) -> AbstractContextManager[None]:
        """Waits until the task may announce its send: a limit of its own, as large as that of slots."""


_READ = (
    select(
        TransferItem.id,
        TransferItem.transfer_id,
        Transfer.kind,
        TransferItem.position,
        TransferItem.name,
        TransferItem.source_id,
        TransferItem.listed,
        TransferItem.version_id,
        TransferItem.target,
        TransferItem.target_id,
        TransferItem.note,
        TransferItem.profile,
        TransferItem.based_on,
        TransferItem.sends,
        Transfer.matter_id,
        Transfer.member_id,
        Transfer.server_id,
        AT_ONCE,
        TransferItem.state,
        TransferItem.sha256,
        TransferItem.sent_at,
        Version.file_name,
        Version.size.label("version_size"),
        Version.sha256.label("version_sha256"),
        Connection.imanage_user,
    )
    .join(Transfer, Transfer.id == TransferItem.transfer_id)
    .outerjoin(Server, Server.id == Transfer.server_id)
    .outerjoin(ServerConcurrency, ServerConcurrency.server_id == Transfer.server_id)
    .outerjoin(Version, Version.id == TransferItem.version_id)
    .outerjoin(
        Connection,
        (Connection.member_id == Transfer.member_id) & (Connection.server_id == Transfer.server_id),
    )
    .where(TransferItem.id.in_(bindparam("ids", expanding=True)), TransferItem.state.in_(LIVE))
    .order_by(TransferItem.position)
)
_LOCKED = (
    select(TransferItem)
    .join(TransferItem.transfer)
    .options(contains_eager(TransferItem.transfer))
    .with_for_update(of=TransferItem)
    .execution_options(populate_existing=True)
)


class ItemRun:
    """One run of one item, by one thread.

    `stop_reason` is why the item was stopped; None where it only has to wait, because the transfer is paused or the
    process ends. `moves_since` (monotonic) is set while the run holds a slot. `progress` may be newer than the row.
    `is_over` once the end is committed.
    """

    def __init__(
        self,
        task: Task,
        fencing_token: int,
        outgoing: Outgoing | None,
        cache: AccessCache,
        snapshot: AuthorizationSnapshot,
        limiter: Limiter,
        stopping: threading.Event,
    ) -> None:
        self.task = task
        self.item_id = task.id
        self.fencing_token = fencing_token
        self.outgoing = outgoing
        self.cache = cache
        self.stop_reason: str | None = None
        self.moves_since: float | None = None
        self.progress: Progress | None = None
        self.is_over = False
        self._snapshot = snapshot
        self._limiter = limiter
        self._stopping = stopping
        self._slot = ExitStack()
        self._claim_checked_at = time.monotonic()

    @property
    def claim(self) -> Claim:
        return Claim(self.item_id, self.fencing_token)

    @property
    def is_stopping(self) -> bool:
        """Whether this process is about to end."""
        return self._stopping.is_set()

    @contextmanager
    def in_slot(self) -> Iterator[None]:
        """Hold a slot of the server. Nested use shares the slot that is held."""
        if self.moves_since is not None:
            yield
            return
        if self.task.server_id is not None:
            # Token and server are read while the run waits for its slot anyway.
            self.cache.access(self.task.member_id, self.task.server_id)
        with ExitStack() as self._slot:
            self._slot.enter_context(self._limiter.slot(self.task))
            self._require_after_waiting()
            self.moves_since = time.monotonic()
            try:
                yield
            finally:
                self.moves_since = None

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announce the send and wait for its slot: only a few runs of a server do so at a time."""
        with self._limiter.announcement(self.task):
            self._require_after_waiting()
            yield

    def leave_slot(self) -> None:
        """Give the slot back early: iManage has answered everything, and the rest is local work."""
        self._slot.close()

    def with_client(self, call: Callable[[Client], T]) -> T:
        """Call iManage as the member who asked for the transfer, in a slot."""
        with self.in_slot():
            return tokens.with_client(
                self.task.member_id, cast(uuid.UUID, self.task.server_id), call, cache=self.cache
            )

    def require_allowed(self, *, is_stored: bool = False) -> None:
        """Check again everything that was checked when the transfer was started. Raises the RefusedError that applies.

        `is_stored`: iManage has stored the document already, so a cancelled transfer is still recorded.
        """
        if time.monotonic() - self._claim_checked_at >= authorization.RECHECK_SECONDS:
            self._require_claim()
        current = self._snapshot.of(self.task.transfer_id)
        if current is None:
            raise TakenOverError
        current.require(is_stored=is_stored)

    def should_stop(self) -> ShouldStop:
        """For the copying engine, which asks between chunks. The rows are read at most once a second."""
        rows_say = throttled(authorization.RECHECK_SECONDS, self._reason_to_stop)
        return lambda: RESTARTING if self.is_stopping else rows_say()

    def on_progress(self, progress: Progress) -> None:
        """For the copying engine. execution/progress.py writes it to the row."""
        self.progress = progress

    def _require_after_waiting(self) -> None:
        if self.is_stopping:
            raise StoppedError(RESTARTING)
        if not self._snapshot.is_recent():
            self.require_allowed()

    def _reason_to_stop(self) -> str | None:
        try:
            self._require_claim()
            self.require_allowed()
        except PausedError:
            return "The transfer is paused."
        except RefusedError as refusal:
            self.stop_reason = refusal.sentence
        except TakenOverError:
            self.stop_reason = "Another worker has taken this over."
        finally:
            release()
        return self.stop_reason

    def _require_claim(self) -> None:
        fencing_token = session().scalar(
            select(TransferItem.fencing_token).where(TransferItem.id == self.item_id)
        )
        release()
        if fencing_token != self.fencing_token:
            raise TakenOverError
        self._claim_checked_at = time.monotonic()


def read(item_ids: Collection[uuid.UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rows of claimed items, with everything that a run has to know, in the order of their positions."""
    release()  # or the transaction would still see the rows as they were before the claim
    rows = session().execute(_READ, {"ids": list(item_ids)}).all() if item_ids else []
    release()
    return rows


def task_of(row: Row[*tuple[Any, ...]]) -> Task:
    values = {name: value for name, value in row._mapping.items() if name in Task.__dataclass_fields__}
    is_save = row.kind == "save"
    values["source"] = None if is_save else VersionId.parse(row.source_id)
    values["target"] = target(row.target, row.target_id) if is_save else None
    return Task(**values)


def outgoing_of(row: Row[*tuple[Any, ...]]) -> Outgoing | None:
    """None for a get, and where the version has been deleted."""
    if row.kind != "save" or row.file_name is None:
        return None
    return Outgoing(row.file_name, row.version_size, row.version_sha256, row.imanage_user)


def intent_of(item: TransferItem) -> Intent:
    return Intent.from_record(cast(dict[str, Any], item.intent))


def current(run: ItemRun) -> TransferItem:
    """The row as it is now. Raises TakenOverError where its fencing token is no longer the run's.

    Within a unit of work the row is locked until the end, so nobody claims it between this read and the commit.
    """
    if is_writing():
        item = session().scalar(_LOCKED.where(TransferItem.id == run.item_id))
    else:
        item = session().get(TransferItem, run.item_id)
    if item is None or item.fencing_token != run.fencing_token:
        raise TakenOverError
    return item


def actor_of(member_id: uuid.UUID) -> Actor:
    """The member who asked for the transfer: a worker acts, and is audited, in their name."""
    member = session().get_one(Member, member_id)
    return Actor(member.id, member.name, member.email, is_guest=member.is_guest)


def partial_tokens(item_id: uuid.UUID) -> tuple[str, ...]:
    """Names of a get's partial downloads: the next is used while another process still holds the one before."""
    return (f"get-{item_id}", f"get-{item_id}-2", f"get-{item_id}-3")


_active: set[ItemRun] = set()


@contextmanager
def active(run: ItemRun) -> Iterator[None]:
    """While a thread of this process carries it out."""
    _active.add(run)
    try:
        yield
    finally:
        _active.discard(run)


def active_count() -> int:
    return len(_active)


def active_runs() -> list[ItemRun]:
    return list(_active)
