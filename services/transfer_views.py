"""What a page shows of transfers: frozen values, nothing asked of iManage."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from models import Matter, Member, Transfer, TransferItem, Version, utcnow
from services import permissions
from services.actor import Actor
from services.server_access import available_to
from services.transfer_states import (
    ASKS,
    DONE,
    FAILED,
    FINISHED,
    LABELS,
    LOOKING_UP,
    NEEDS_SIGN_IN,
    RUNNING,
    SENDING,
    STOPPED,
    WAITING,
)
from services.transfers import require_transfer
from services.unit import session

TONES = {
    WAITING: "neutral",
    RUNNING: "info",
    SENDING: "info",
    LOOKING_UP: "info",
    NEEDS_SIGN_IN: "warning",
    ASKS: "warning",
    DONE: "success",
    FAILED: "danger",
    STOPPED: "neutral",
}
MOVING = frozenset({RUNNING, SENDING})
RECENT = timedelta(minutes=10)
PAGE = 100


@dataclass(frozen=True)
class ItemView:
    """One row. `seconds_left` only while bytes move and a speed can be told."""

    id: uuid.UUID
    name: str
    state: str
    label: str
    tone: str
    size: int | None
    bytes_done: int
    is_moving: bool
    bytes_a_second: float | None
    seconds_left: float | None
    sentence: str
    next_step: str
    wait_until: datetime | None
    notices: tuple[str, ...]
    document_id: uuid.UUID | None
    version_number: int | None
    twin: str
    twin_url: str


@dataclass(frozen=True)
class TransferView:
    id: uuid.UUID
    kind: str
    matter_id: uuid.UUID
    matter_name: str
    server_id: uuid.UUID | None
    server_label: str
    by: str
    is_mine: bool
    started_at: datetime
    finished_at: datetime | None
    is_cancelling: bool
    total: int
    counts: dict[str, int]
    bytes_done: int
    bytes_total: int
    page: int
    has_next: bool
    items: tuple[ItemView, ...]

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
    def done(self) -> int:
        return self.counts.get(DONE, 0)

    @property
    def may_retry(self) -> bool:
        return not self.is_live and self.counts.get(FAILED, 0) + self.counts.get(STOPPED, 0) > 0

    @property
    def tone(self) -> str:
        if self.is_live:
            return "warning" if self.waits_for_person else "info"
        return "success" if self.done == self.total else "danger" if self.counts.get(FAILED) else "neutral"

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


def transfer(actor: Actor, transfer_id: uuid.UUID, page: int = 1) -> TransferView:
    """One transfer with a page of its rows, those that need somebody first."""
    return _views(actor, [require_transfer(actor, transfer_id)], page)[0]


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
    return tuple(_views(actor, rows.all()))


def running_count(actor: Actor) -> int:
    """How many of this person's transfers are not over, for the badge in the page head."""
    if actor.is_guest:
        return 0
    return (
        session().scalar(
            select(func.count()).where(Transfer.member_id == actor.id, Transfer.finished_at.is_(None))
        )
        or 0
    )


def recent(actor: Actor, page: int = 1) -> tuple[tuple[TransferView, ...], bool]:
    """This person's transfers, newest first, and whether there are more."""
    rows = (
        session()
        .scalars(
            select(Transfer)
            .where(Transfer.member_id == actor.id)
            .order_by(Transfer.created_at.desc())
            .offset((page - 1) * 20)
            .limit(21)
        )
        .all()
    )
    return tuple(_views(actor, rows[:20])), len(rows) > 20


def _views(actor: Actor, rows: Sequence[Transfer], page: int = 1) -> list[TransferView]:
    labels = {server.id: server.label for server in available_to(actor)}
    ids = [row.id for row in rows]
    counts = _counts(ids)
    items = _items(ids, page)
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
            server_label=labels.get(row.server_id, "iManage") if row.server_id else "iManage",
            by=members[row.member_id],
            is_mine=row.member_id == actor.id,
            started_at=row.created_at,
            finished_at=row.finished_at,
            is_cancelling=row.cancelled_at is not None and row.finished_at is None,
            total=sum(count for count, _done, _size in counts.get(row.id, {}).values()),
            counts={state: count for state, (count, _done, _size) in counts.get(row.id, {}).items()},
            bytes_done=sum(done for _count, done, _size in counts.get(row.id, {}).values()),
            bytes_total=sum(size for _count, _done, size in counts.get(row.id, {}).values()),
            page=page,
            has_next=len(items.get(row.id, [])) > PAGE,
            items=tuple(items.get(row.id, [])[:PAGE]),
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


def _items(ids: Sequence[uuid.UUID], page: int) -> dict[uuid.UUID, list[ItemView]]:
    found: dict[uuid.UUID, list[ItemView]] = {}
    for transfer_id in ids:
        rows = session().execute(
            select(TransferItem, Version.number)
            .outerjoin(Version, Version.id == TransferItem.version_id)
            .where(TransferItem.transfer_id == transfer_id)
            .order_by(TransferItem.position)
            .offset((page - 1) * PAGE)
            .limit(PAGE + 1)
        )
        found[transfer_id] = [_item(item, number) for item, number in rows]
    return found


def _item(item: TransferItem, version_number: int | None) -> ItemView:
    speed = _speed(item)
    receipt = item.receipt or {}
    done = item.state == DONE
    return ItemView(
        id=item.id,
        name=item.name,
        state=item.state,
        label=LABELS[item.state],
        tone=TONES[item.state],
        size=item.size,
        bytes_done=item.bytes_done,
        is_moving=item.state in MOVING,
        bytes_a_second=speed,
        seconds_left=(item.size - item.bytes_done) / speed if speed and item.size else None,
        sentence=item.error_sentence,
        next_step=item.next_step,
        wait_until=item.wait_until,
        notices=tuple(item.warnings or ()),
        document_id=item.document_id if done else None,
        version_number=version_number if done else None,
        twin=f"{receipt['library']} {receipt['number']} v{receipt['version']}" if receipt and done else "",
        twin_url=str(receipt.get("url", "")) if done else "",
    )


def _speed(item: TransferItem) -> float | None:
    if item.state not in MOVING or item.progress_at is None or not item.bytes_done:
        return None
    seconds = (item.progress_at - item.state_at).total_seconds()
    return item.bytes_done / seconds if seconds > 0 else None
