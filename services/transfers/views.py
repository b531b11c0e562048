"""Transfers as pages show them, as frozen values. No remote calls."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from models import Matter, Member, Participant, Transfer, TransferItem
from services.access import permissions
from services.access.participation import takes_part
from services.access.server_access import KnownServers, known_to
from services.core.actor import Actor
from services.core.pagination import Page, paginate_sorted
from services.core.unit_of_work import session
from services.servers import circuit_breaker
from services.transfers import item_views, undo
from services.transfers import tallies as transfer_tallies
from services.transfers.item_views import ALL, FILTERS, ItemView
from services.transfers.outcomes import Outcome, Verdict, verdict
from services.transfers.requests import require_transfer
from services.transfers.states import FINISHED, ItemState
from services.transfers.tallies import Tally

FILTERED_FROM = 20
PAGE = 20


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
    open_circuit: circuit_breaker.OpenCircuit | None
    pace: int | None
    tally: Tally
    summary: str
    documents: str
    undone_at: datetime | None = None
    undone_by: str = ""
    may_undo: bool = False
    retried_as: uuid.UUID | None = None
    page: int = 1
    show: str = ALL
    has_next: bool = False
    items: tuple[ItemView, ...] = ()

    @property
    def is_live(self) -> bool:
        return self.finished_at is None

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of documents by state."""
        return self.tally.states

    @property
    def total(self) -> int:
        return self.tally.total

    @property
    def waits_for_person(self) -> bool:
        """Whether nothing continues without a sign-in or a decision."""
        waiting = self.counts.get(ItemState.NEEDS_SIGN_IN, 0) + self.counts.get(ItemState.NEEDS_DECISION, 0)
        return self.is_live and waiting > 0 and waiting + self.over == self.total

    @property
    def over(self) -> int:
        return sum(self.counts.get(state, 0) for state in FINISHED)

    @property
    def filters(self) -> dict[str, int]:
        """By filter above the rows, if there are enough rows: how many it has, where it has some or is selected."""
        counts = {name: sum(self.counts.get(each, 0) for each in states) for name, states in FILTERS.items()}
        shown = {name: count for name, count in counts.items() if count or name == self.show}
        return shown if self.total > FILTERED_FROM else {}

    @property
    def minutes_at_pace(self) -> int:
        """How long the waiting documents take at the server's pace at least; 0 where none is limited by it."""
        return -(-self.counts.get(ItemState.WAITING, 0) // self.pace) if self.pace and self.is_live else 0

    @property
    def done(self) -> int:
        return self.counts.get(ItemState.DONE, 0)

    @property
    def may_retry(self) -> bool:
        """Whether a retry could succeed and was not made yet."""
        return not self.is_live and self.tally.retryable > 0 and self.retried_as is None

    @property
    def verdict(self) -> Verdict:
        return verdict(self.tally.outcomes)

    @property
    def is_moving(self) -> bool:
        return self.tally.outcomes[Outcome.MOVING] > 0 and not self.open_circuit


def transfer(actor: Actor, transfer_id: uuid.UUID, page: int = 1, show: str = ALL) -> TransferView:
    """One transfer with a page of its rows, those that need a person first."""
    row = require_transfer(actor, transfer_id)
    show = show if show in FILTERS else ALL
    known = known_to(actor)
    items = item_views.of_transfer(actor, row, page, show, known)
    return replace(
        _views(actor, [row], known)[0],
        may_undo=_may_undo(actor, row),
        retried_as=session().scalar(select(Transfer.id).where(Transfer.retry_of_id == row.id)),
        page=page,
        show=show,
        has_next=items.has_next,
        items=items.rows,
    )


def _may_undo(actor: Actor, transfer: Transfer) -> bool:
    """Whether the page offers to undo it, or for a save says how to do that in iManage."""
    if not undo.is_due(transfer) or not _has_arrived(transfer):
        return False
    role = permissions.role_in(actor, transfer.matter_id)
    return permissions.may_transfer(actor, role) and permissions.may_remove_documents(actor, role)


def _has_arrived(transfer: Transfer) -> bool:
    nothing = [Outcome.HERE_ALREADY, Outcome.THERE_ALREADY]
    arrived = select(TransferItem.id).where(
        TransferItem.transfer_id == transfer.id,
        TransferItem.state == ItemState.DONE,
        TransferItem.outcome.not_in(nothing),
    )
    return session().scalar(arrived.limit(1)) is not None


def is_live_in(actor: Actor, matter_id: uuid.UUID) -> bool:
    """Whether any member's transfer of the matter is in progress. Guests see none."""
    if actor.is_guest:
        return False
    permissions.require_matter(actor, matter_id)
    under_way = select(Transfer.id).where(Transfer.matter_id == matter_id, Transfer.finished_at.is_(None))
    return session().scalar(under_way.limit(1)) is not None


def recent(actor: Actor, page: int = 1, sort: str = "") -> Page[TransferView]:
    """The actor's transfers in their matters, newest first unless sorted otherwise."""
    query = (
        select(Transfer)
        .join(Participant, Participant.matter_id == Transfer.matter_id)
        .join(Matter, Matter.id == Transfer.matter_id)
        .where(Transfer.member_id == actor.id, takes_part(actor))
    )
    columns = {"started": Transfer.created_at, "direction": Transfer.kind, "matter": Matter.search_key}
    found = paginate_sorted(query, page, PAGE, "", sort, columns, "-started", last=Transfer.id)
    return found.with_rows(_views(actor, found.rows, known_to(actor)))


def _views(actor: Actor, rows: Sequence[Transfer], known: KnownServers) -> list[TransferView]:
    practice = {server.id for server in known.usable if server.is_practice}
    circuits = circuit_breaker.open_circuits() if any(row.finished_at is None for row in rows) else {}
    ids = [row.id for row in rows]
    tallies = defaultdict(lambda: Tally(""), transfer_tallies.of_transfers(ids))
    matters = _names(Matter, {row.matter_id for row in rows})
    members = _names(
        Member, {id for row in rows for id in (row.member_id, row.undone_by_id) if id is not None}
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
            undone_at=row.undone_at,
            undone_by=members[row.undone_by_id] if row.undone_by_id else "",
            started_at=row.created_at,
            finished_at=row.finished_at,
            is_cancelling=row.cancelled_at is not None and row.finished_at is None,
            is_paused=row.paused_at is not None and row.finished_at is None,
            open_circuit=circuits.get(row.server_id)
            if row.server_id and row.finished_at is None and known.may_know(row.server_id)
            else None,
            pace=here.pace if (here := known.of(row.server_id)) else None,
            tally=tallies[row.id],
            summary=tallies[row.id].summary(known.label(row.server_id), known.may_know(row.server_id)),
            documents=tallies[row.id].documents(known.may_know(row.server_id)),
        )
        for row in rows
    ]


def _names(table: type[Matter] | type[Member], ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(session().execute(select(table.id, table.name).where(table.id.in_(ids))).all())
