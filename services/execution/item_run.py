"""One item while a worker has it: what it is, who holds it, whether it may still go on, and how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from copying.errors import StoppedError
from copying.poll import asked_every
from copying.ports import ShouldStop
from copying.values import Progress
from models import TransferItem
from services.connections.clients import Line
from services.core.errors import RefusedError
from services.core.unit_of_work import is_writing, release, session
from services.execution import authorization
from services.execution.authorization import AuthorizationSnapshot, PausedError
from services.execution.tasks import Claim, Outgoing, Stored, Task


class TakenOverError(Exception):
    """Another worker has the item now; this one writes nothing more."""


_LOCKED = (
    select(TransferItem)
    .join(TransferItem.transfer)
    .options(contains_eager(TransferItem.transfer))
    .with_for_update(of=TransferItem)
    .execution_options(populate_existing=True)
)


class ItemRun:
    """`reason` is why it was stopped, None where it only has to wait: the transfer is paused, or the process ends.

    `place` is held while iManage is asked: a worker keeps to what the server's admin allowed. `turn` is held by the
    few that are announced before a place is free for them. Carried `in_one_go` a small document is put on record once
    at its end, and not step by step. `progress` is the newest of what moves, on record or not yet. `is_over` once its
    end is on record.
    """

    def __init__(
        self,
        task: Task,
        fencing_token: int,
        standings: AuthorizationSnapshot,
        stopping: threading.Event,
        *,
        in_one_go: bool = False,
    ) -> None:
        self.task = task
        self.item_id = task.id
        self.fencing_token = fencing_token
        self.in_one_go = in_one_go
        self.reason: str | None = None
        self.place: Callable[[], AbstractContextManager[None]] = nullcontext
        self.turn: Callable[[], AbstractContextManager[None]] = nullcontext
        self.moves_since: float | None = None
        self.line = Line()
        self.outgoing: Outgoing | None = None
        self.stored: Stored | None = None
        self.progress: Progress | None = None
        self.is_over = False
        self._place = ExitStack()
        # Carried in one go it has just been taken over.
        self._mine_at = time.monotonic() if in_one_go else float("-inf")
        self._standings = standings
        self._stopping = stopping

    @property
    def claim(self) -> Claim:
        return Claim(self.item_id, self.fencing_token)

    @contextmanager
    def placed(self) -> Iterator[None]:
        """While iManage is asked. What is done between two calls may be done in one place with them."""
        if self.moves_since is not None:
            yield
            return
        if self.task.server_id is not None:
            # Looked up for what follows while it has no place yet.
            self.line.access(self.task.member_id, self.task.server_id)
        with ExitStack() as self._place:
            self._place.enter_context(self.place())
            self._require_after_waiting()
            self.moves_since = time.monotonic()
            try:
                yield
            finally:
                self.moves_since = None

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """While it is announced and waits for its place: the next of those that move are ready when one is free."""
        with self.turn():
            self._require_after_waiting()
            yield

    def _require_after_waiting(self) -> None:
        if self.is_stopping:
            raise StoppedError("Counterpart is being restarted.")
        if not self._standings.is_recent():
            self.require_allowed()

    def leave_place(self) -> None:
        """iManage has said all that it was asked for; what is left to do is done here."""
        self._place.close()

    @property
    def is_stopping(self) -> bool:
        """Whether this process is about to end."""
        return self._stopping.is_set()

    def require_allowed(self, *, is_stored: bool = False) -> None:
        """Ask again, at each step, all that was asked at the start. Raises the RefusedError that applies now."""
        if time.monotonic() - self._mine_at >= authorization.ASK_SECONDS:
            self._require_mine()
        standing = self._standings.of(self.task.transfer_id)
        if standing is None:
            raise TakenOverError
        standing.require(is_stored=is_stored)

    def should_stop(self) -> ShouldStop:
        """For the engine, which asks between chunks; the rows are read at most once a second.

        They were read when the step began, so a small document is through before they are read again.
        """
        in_rows = asked_every(authorization.ASK_SECONDS, self._reason)
        began = time.monotonic()

        def ask() -> str | None:
            if self._stopping.is_set():
                return "Counterpart is being restarted."
            return in_rows() if time.monotonic() - began >= authorization.ASK_SECONDS else None

        return ask

    def _reason(self) -> str | None:
        try:
            self._require_mine()
            self.require_allowed()
        except PausedError:
            return "The transfer is paused."
        except RefusedError as refusal:
            self.reason = refusal.sentence
        except TakenOverError:
            self.reason = "Another worker has taken this over."
        finally:
            release()
        return self.reason

    def _require_mine(self) -> None:
        fencing_token = session().scalar(
            select(TransferItem.fencing_token).where(TransferItem.id == self.item_id)
        )
        release()
        if fencing_token != self.fencing_token:
            raise TakenOverError
        self._mine_at = time.monotonic()

    def on_progress(self, progress: Progress) -> None:
        """For the engine. What it says is put on record by transfer_showing, for all that move at once."""
        self.progress = progress


_under_way: set[ItemRun] = set()


def fresh(run: ItemRun) -> TransferItem:
    """The row as it is now. Raises TakenOverError where the fence has moved on.

    Within a unit the row is locked to its end, so that nobody takes the item over between this look and the commit.
    """
    if is_writing():
        item = session().scalar(_LOCKED.where(TransferItem.id == run.item_id))
    else:
        item = session().get(TransferItem, run.item_id)
    if item is None or item.fencing_token != run.fencing_token:
        raise TakenOverError
    return item


@contextmanager
def under_way(run: ItemRun) -> Iterator[None]:
    """While a thread of this process carries it."""
    _under_way.add(run)
    try:
        yield
    finally:
        _under_way.discard(run)


def how_many() -> int:
    """So many items are under way in this process."""
    return len(_under_way)


def now_under_way() -> list[ItemRun]:
    """What the threads of this process carry at this moment."""
    return list(_under_way)
