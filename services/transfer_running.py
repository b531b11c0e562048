"""One item while a worker has it: who holds it, whether it may still go on, and how far it is."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

from sqlalchemy import and_, select
from sqlalchemy.orm import contains_eager, lazyload

from models import Member, Participant, Server, ServerMember, Transfer, TransferItem, utcnow
from services import server_access
from services.errors import Refusal
from services.permissions import CHANGES_DOCUMENTS
from services.unit import is_writing, session, unit
from transfers.errors import Different
from transfers.items import Progress
from transfers.ports import OnProgress, ShouldStop
from transfers.throttling import asked_every, at_most_every

PROGRESS_SECONDS = 1.0
ASK_SECONDS = 1.0


class TakenOver(Exception):
    """Another worker has the item now; this one writes nothing more."""


class Paused(Exception):
    """The person paused the transfer: the item waits, with what it has, until it goes on."""


# All that is asked of, in one query: while its rows are held, whoever asks the session for one of them has it.
_ALL_ASKED_OF = (
    select(TransferItem, Transfer, Server, Member, ServerMember, Participant)
    .join(Transfer, Transfer.id == TransferItem.transfer_id)
    .join(Member, Member.id == Transfer.member_id)
    .outerjoin(Server, Server.id == Transfer.server_id)
    .outerjoin(ServerMember, and_(ServerMember.server_id == Server.id, ServerMember.member_id == Member.id))
    .outerjoin(
        Participant,
        and_(Participant.matter_id == Transfer.matter_id, Participant.member_id == Transfer.member_id),
    )
    .options(lazyload(Participant.member))
    .execution_options(populate_existing=True)
)
_LOCKED = (
    select(TransferItem)
    .join(TransferItem.transfer)
    .options(contains_eager(TransferItem.transfer))
    .with_for_update(of=TransferItem)
    .execution_options(populate_existing=True)
)


class Running:
    """`reason` is why it was stopped, None where it only has to wait: the transfer is paused, or the process ends."""

    def __init__(
        self, item_id: uuid.UUID, fence: int, stopping: threading.Event, *, in_one_go: bool = False
    ) -> None:
        self.item_id = item_id
        self.fence = fence
        self.reason: str | None = None
        self._stopping = stopping
        self._in_one_go = in_one_go
        self._allowed_at = float("-inf")
        self._together: object = None

    def require_allowed(self) -> None:
        """Ask again, at each step, all that was asked at the start. Raises the Refusal that applies now."""
        session().rollback()
        self._together = session().execute(_ALL_ASKED_OF.where(TransferItem.id == self.item_id)).one_or_none()
        item = fresh(self)
        transfer = item.transfer
        if transfer.cancelled_at is not None and item.receipt is None:
            raise Refusal("You cancelled it.", code="transfer.cancelled")
        if transfer.server_id is None:
            raise Refusal("The iManage server has been removed.", code="server.removed")
        if transfer.paused_at is not None and transfer.cancelled_at is None:
            raise Paused
        try:
            server_access.require_use(transfer.member_id, transfer.server_id)
        except Refusal as refusal:
            raise Refusal(
                "You can no longer use this iManage server."
                if refusal.code == "not_found"
                else refusal.sentence,
                code=refusal.code,
                next_step=refusal.next_step,
                whose="your System Admin",
            ) from refusal
        place = session().get(Participant, (transfer.matter_id, transfer.member_id))
        if place is None or place.role not in CHANGES_DOCUMENTS:
            raise Refusal("You can no longer change this matter's documents.", code="matter.role")
        self._allowed_at = time.monotonic()

    def may_land_at_once(self) -> bool:
        """Carried in one go, and all was asked so recently that it is not asked again between two chunks either."""
        return self._in_one_go and time.monotonic() - self._allowed_at < ASK_SECONDS

    def should_stop(self) -> ShouldStop:
        """For the engine, which asks between chunks; the rows are read at most once a second.

        They were read when the step began, so a small document is through before they are read again.
        """
        in_rows = asked_every(ASK_SECONDS, self._reason)
        began = time.monotonic()

        def ask() -> str | None:
            if self._stopping.is_set():
                return "Counterpart is being restarted."
            return in_rows() if time.monotonic() - began >= ASK_SECONDS else None

        return ask

    def _reason(self) -> str | None:
        try:
            self.require_allowed()
        except Paused:
            return "The transfer is paused."
        except Refusal as refusal:
            self.reason = refusal.sentence
        except TakenOver:
            self.reason = "Another worker has taken this over."
        finally:
            session().rollback()
        return self.reason

    def on_progress(self) -> OnProgress:
        """Writes at most once a second, a little apart from the others, and nothing in the first."""
        began = time.monotonic()

        def write(progress: Progress) -> None:
            if time.monotonic() - began < PROGRESS_SECONDS:
                return
            with unit(soon=True):
                item = fresh(self)
                # Bytes that moved count as progress, unless it is the same wrong bytes again.
                if progress.done > item.bytes_done and item.error_code != Different.code:
                    item.attempt = 0
                item.bytes_done = progress.done
                item.progress_at = utcnow()
                if progress.total is not None:
                    item.size = progress.total

        return at_most_every(PROGRESS_SECONDS + secrets.randbelow(300) / 1000, write)


def fresh(running: Running) -> TransferItem:
    """The row as it is now. Raises TakenOver where the fence has moved on.

    Within a unit the row is locked to its end, so that nobody takes the item over between this look and the commit.
    """
    if is_writing():
        item = session().scalar(_LOCKED.where(TransferItem.id == running.item_id))
    else:
        item = session().get(TransferItem, running.item_id)
    if item is None or item.fence != running.fence:
        raise TakenOver
    return item
