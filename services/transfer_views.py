"""What a page shows of transfers: frozen values, nothing asked of iManage."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from models import Matter, Member, Participant, Transfer, TransferItem, utcnow
from services import permissions, server_pauses, transfer_items
from services.actor import Actor
from services.server_access import KnownServers, known_to
from services.transfer_items import ALL, FILTERS, ItemView, Tab
from services.transfer_states import ASKS, DONE, FAILED, FINISHED, NEEDS_SIGN_IN, STOPPED
from services.transfers import require_transfer
from services.unit import session

RECENT = timedelta(minutes=10)
FILTERED_FROM = 20


@dataclass(frozen=True)
class TransferView:
    id: uuid.UUID
    kind: str
    matter_id: uuid.UUID
    matter_name: str
    server_id: uuid.UUID | None
    server_label: str
    is_practice: bool
    by: str
    is_mine: bool
    started_at: datetime
    finished_at: datetime | None
    is_cancelling: bool
    is_paused: bool
    left_alone: server_pauses.Pause | None
    total: int
    counts: dict[str, int]
    bytes_done: int
    bytes_total: int
    page: int = 1
    show: str = ALL
    has_next: bool = False
    items: tuple[ItemView, ...] = ()

    @property
    def is_live(self) -> bool:
        return self.finished_at is None

    @property
    def waits_for_person(self) -> bool:
        """Nothing moves by itself any more: a sign-in or a decision is needed."""
        waiting = self.counts.get(NEEDS_SIGN_IN, 0) + self.counts.get(ASKS, 0)
        return self.is_live and waiting > 0 and waiting + self.over == self.total

    @property
    def over(self) -> int:
        return sum(self.counts.get(state, 0) for state in FINISHED)

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Filters over the rows, where there are enough of them to look for some."""
        return transfer_items.tabs(self.counts, self.show) if self.total > FILTERED_FROM else ()

    @property
    def done(self) -> int:
        return self.counts.get(DONE, 0)

    @property
    def may_retry(self) -> bool:
        return not self.is_live and self.counts.get(FAILED, 0) + self.counts.get(STOPPED, 0) > 0

    @property
    def label(self) -> str:
        """The whole in a word or three."""
        if not self.is_live:
            return "Finished"
        if self.is_paused:
            return "Paused"
        return "Waiting for you" if self.waits_for_person else "Waiting" if self.left_alone else "Running"

    @property
    def tone(self) -> str:
        if self.is_live:
            return "warning" if self.waits_for_person or self.is_paused or self.left_alone else "info"
        return "success" if self.done == self.total else "danger" if self.counts.get(FAILED) else "neutral"

    @property
    def headline(self) -> str:
        """Said where somebody is told that it is over: in the page head, and over a mail."""
        return headline(self.kind, self.counts)

    @property
    def summary(self) -> str:
        """The answer to "did every version arrive, once?" in one sentence."""
        verb = f"arrived from {self.server_label}" if self.kind == "get" else f"saved to {self.server_label}"
        auxiliary = ("has", "have") if self.kind == "get" else ("was", "were")
        noun = "document" if self.total == 1 else "documents"
        if self.is_live:
            return f"{self.done} of {self.total} {noun} {verb} so far."
        if self.done == self.total == 1:
            return f"The document {auxiliary[0]} {verb}, once."
        if self.done == self.total:
            return f"All {self.total} documents {auxiliary[1]} {verb}, each once."
        missing = ", ".join(
            f"{self.counts[state]} {words}"
            for state, words in ((FAILED, "failed"), (STOPPED, "stopped"))
            if self.counts.get(state)
        )
        return f"{self.done} of {self.total} {noun} {verb}; {missing}."


def headline(kind: str, counts: dict[str, int]) -> str:
    """`Transfer finished: 198 of 200 arrived, 2 failed`."""
    verb = "arrived" if kind == "get" else "saved"
    return f"Transfer finished: {counts.get(DONE, 0)} of {sum(counts.values())} {verb}" + "".join(
        f", {counts[state]} {words}"
        for state, words in ((FAILED, "failed"), (STOPPED, "stopped"))
        if counts.get(state)
    )


def transfer(actor: Actor, transfer_id: uuid.UUID, page: int = 1, show: str = ALL) -> TransferView:
    """One transfer with a page of its rows, those that need somebody first."""
    row = require_transfer(actor, transfer_id)
    show = show if show in FILTERS else ALL
    known = known_to(actor)
    items = transfer_items.of_transfer(row, page, show, known)
    return replace(
        _views(actor, [row], known)[0], page=page, show=show, has_next=items.has_next, items=items.rows
    )


def in_matter(actor: Actor, matter_id: uuid.UUID) -> tuple[TransferView, ...]:
    """The transfers of a matter that run, or ended a moment ago."""
    if actor.is_guest:
        return ()
    permissions.require_matter(actor, matter_id)
    rows = session().scalars(
        select(Transfer)
        .where(
            Transfer.matter_id == matter_id,
            or_(Transfer.finished_at.is_(None), Transfer.finished_at > utcnow() - RECENT),
        )
        .order_by(Transfer.created_at.desc())
        .limit(5)
    )
    return tuple(_views(actor, rows.all(), known_to(actor)))


def recent(actor: Actor, page: int = 1) -> tuple[tuple[TransferView, ...], bool]:
    """This person's transfers in the matters that they take part in, newest first, and whether there are more."""
    rows = (
        session()
        .scalars(
            select(Transfer)
            .join(Participant, Participant.matter_id == Transfer.matter_id)
            .where(Transfer.member_id == actor.id, Participant.member_id == actor.id)
            .order_by(Transfer.created_at.desc())
            .offset((page - 1) * 20)
            .limit(21)
        )
        .all()
    )
    return tuple(_views(actor, rows[:20], known_to(actor))), len(rows) > 20


def _views(actor: Actor, rows: Sequence[Transfer], known: KnownServers) -> list[TransferView]:
    practice = {server.id for server in known.usable if server.is_practice}
    left_alone = server_pauses.paused_now() if any(row.finished_at is None for row in rows) else {}
    ids = [row.id for row in rows]
    counts = _counts(ids)
    matters = dict(
        session()
        .execute(select(Matter.id, Matter.name).where(Matter.id.in_({row.matter_id for row in rows})))
        .all()
    )
    members = dict(
        session()
        .execute(select(Member.id, Member.name).where(Member.id.in_({row.member_id for row in rows})))
        .all()
    )
    return [
        TransferView(
            id=row.id,
            kind=row.kind,
            matter_id=row.matter_id,
            matter_name=matters[row.matter_id],
            server_id=row.server_id,
            server_label=known.label(row.server_id),
            is_practice=row.server_id in practice,
            by=members[row.member_id],
            is_mine=row.member_id == actor.id,
            started_at=row.created_at,
            finished_at=row.finished_at,
            is_cancelling=row.cancelled_at is not None and row.finished_at is None,
            is_paused=row.paused_at is not None and row.finished_at is None,
            left_alone=left_alone.get(row.server_id)
            if row.server_id and row.finished_at is None and known.may_know(row.server_id)
            else None,
            total=sum(count for count, _done, _size in counts.get(row.id, {}).values()),
            counts={state: count for state, (count, _done, _size) in counts.get(row.id, {}).items()},
            bytes_done=sum(done for _count, done, _size in counts.get(row.id, {}).values()),
            bytes_total=sum(size for _count, _done, size in counts.get(row.id, {}).values()),
        )
        for row in rows
    ]


def _counts(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, tuple[int, int, int]]]:
    """Of each transfer, by state: rows, bytes done, bytes in all. One query, however many rows there are."""
    found: dict[uuid.UUID, dict[str, tuple[int, int, int]]] = {}
    query = (
        select(
            TransferItem.transfer_id,
            TransferItem.state,
            func.count(),
            func.coalesce(func.sum(TransferItem.bytes_done), 0),
            func.coalesce(func.sum(TransferItem.size), 0),
        )
        .where(TransferItem.transfer_id.in_(ids))
        .group_by(TransferItem.transfer_id, TransferItem.state)
    )
    for transfer_id, state, count, done, size in session().execute(query):
        found.setdefault(transfer_id, {})[state] = (count, int(done or 0), int(size or 0))
    return found
