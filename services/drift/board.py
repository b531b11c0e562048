"""The state of every document of a matter against its twin: counts, and the list of those that are not in step."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from models import Document, DriftDecision, Link, Member, Version, utcnow
from services.access import permissions
from services.access.server_access import ServerLabel, available_to
from services.core.actor import Actor
from services.core.pagination import Page
from services.core.text.file_names import split
from services.core.unit_of_work import session
from services.transfers import links
from services.transfers.links import TwinStatus
from services.transfers.twin_states import TwinState

PAGE = 40
DRIFTED = frozenset({TwinState.NEWER, TwinState.CHANGED_HERE, TwinState.BOTH})
OUT_OF_REACH = frozenset({TwinState.LOST, TwinState.NO_ACCESS})
IGNORED, NO_TWIN = "ignored", "no_twin"
STATES = frozenset({*map(str, TwinState), IGNORED, NO_TWIN})
"""What a list can be filtered by."""


@dataclass(frozen=True)
class Decision:
    """What somebody decided about a document that is not in step, while its state has not changed since."""

    choice: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class DriftRow:
    """A document and its twin on one server."""

    document_id: uuid.UUID
    name: str
    extension: str
    status: TwinStatus
    decision: Decision | None

    @property
    def mark(self) -> str:
        return mark_of(self.status)

    @property
    def can_be_got(self) -> bool:
        """Whether iManage has a version that is not here."""
        return self.status.state in {TwinState.NEWER, TwinState.BOTH}

    @property
    def is_ignorable(self) -> bool:
        return self.status.state in DRIFTED

    @property
    def is_out_of_reach(self) -> bool:
        return self.status.state in OUT_OF_REACH


@dataclass(frozen=True)
class Twins:
    """The twins of a matter on the servers that the actor can use, with the decisions that still count."""

    statuses: Mapping[uuid.UUID, tuple[TwinStatus, ...]]
    decisions: Mapping[tuple[uuid.UUID, uuid.UUID], Decision]

    def decision(self, document_id: uuid.UUID, status: TwinStatus) -> Decision | None:
        return self.decisions.get((document_id, status.twin.server_id))

    def counts(self, documents: int) -> dict[str, int]:
        """Documents by the state of their twins, in the order of the states; then those without a twin.

        `documents`: how many the matter has.
        """
        found = Counter(state for each in self.statuses.values() for state in {one.state for one in each})
        counts = {str(state): found[state] for state in TwinState if found[state]}
        without = documents - len(self.statuses)
        return counts | ({NO_TWIN: without} if without > 0 and counts else {})

    def drift_counts(self, state: str = "") -> dict[str, int]:
        """Twins by state, of those that need somebody; then those that are ignored. `state` is listed even without."""
        names = [str(each) for each in TwinState if each is not TwinState.SAME] + [IGNORED]
        counts = {name: len(self.chosen(name)) for name in names}
        return {name: count for name, count in counts.items() if count or name == state}

    @property
    def undecided(self) -> int:
        """How many twins are out of reach and wait for a lead's choice."""
        return sum(
            status.state in OUT_OF_REACH and self.decision(document_id, status) is None
            for document_id, status in self._each()
        )

    def chosen(self, state: str) -> tuple[tuple[uuid.UUID, TwinStatus], ...]:
        """Those in a state; with IGNORED those that are ignored, and with "" all that need somebody."""
        return tuple(
            (id, status) for id, status in self._each() if _is_in(state, status, self.decision(id, status))
        )

    def _each(self) -> list[tuple[uuid.UUID, TwinStatus]]:
        return [(id, status) for id, statuses in self.statuses.items() for status in statuses]


@dataclass(frozen=True)
class Board:
    """One page of the Drift tab. `undecided`: how many twins are out of reach and wait for a lead's choice."""

    matter_id: uuid.UUID
    state: str
    found: Page[DriftRow]
    twins: int
    undecided: int
    servers: tuple[ServerLabel, ...]


@dataclass(frozen=True)
class Checking:
    """What is being checked in the background. `unasked`: nobody whose sign-in may be used is signed in.

    `oldest`: when the twin that was checked least recently was checked.
    """

    pending: int = 0
    unasked: bool = False
    oldest: datetime | None = None


def twins(actor: Actor, matter_id: uuid.UUID, usable: Collection[ServerLabel] | None = None) -> Twins:
    """Two queries, however many documents."""
    permissions.require_see_twins(actor, matter_id)
    of_matter = select(Document.id).where(Document.matter_id == matter_id)
    known = available_to(actor) if usable is None else tuple(usable)
    statuses = links.for_documents(actor, of_matter, known)
    if not statuses:
        return Twins({}, {})
    rows = session().execute(
        select(DriftDecision, Member.name)
        .join(Member, Member.id == DriftDecision.member_id)
        .where(DriftDecision.document_id.in_(of_matter))
    )
    decided = {(row.document_id, row.server_id): (row, name) for row, name in rows}
    decisions = {}
    for document_id, of_document in statuses.items():
        for status in of_document:
            key = document_id, status.twin.server_id
            if (found := decided.get(key)) and found[0].seen == mark_of(status):
                row, name = found
                decisions[key] = Decision(row.choice, row.reason, name, row.at)
    return Twins(statuses, decisions)


def board(actor: Actor, matter_id: uuid.UUID, state: str = "", number: int = 1) -> Board:
    """One page of those in a state, by name; with "" of all that need somebody."""
    servers = available_to(actor)
    found = twins(actor, matter_id, servers)
    chosen = found.chosen(state)
    titles = names(matter_id, [id for id, _ in chosen])
    start = (number - 1) * PAGE
    rows = [
        DriftRow(id, *titles[id], status, found.decision(id, status))
        for id, status in sorted(chosen, key=lambda each: (titles[each[0]][0].casefold(), each[0]))
        if id in titles
    ]
    return Board(
        matter_id=matter_id,
        state=state,
        found=Page(tuple(rows[start : start + PAGE]), number, len(rows) > start + PAGE),
        twins=sum(map(len, found.statuses.values())),
        undecided=found.undecided,
        servers=servers,
    )


def rows_on(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: Collection[uuid.UUID]
) -> tuple[DriftRow, ...]:
    """These documents of the matter with their twins on this server, by name; others are left out."""
    found = twins(actor, matter_id)
    titles = names(matter_id, document_ids)
    rows = [
        DriftRow(id, *titles[id], status, found.decision(id, status))
        for id, statuses in found.statuses.items()
        for status in statuses
        if id in titles and status.twin.server_id == server_id
    ]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.document_id)))


def documents_in(actor: Actor, matter_id: uuid.UUID, state: str) -> set[uuid.UUID] | None:
    """The documents in a state, for the filter of the list; None where it is no state."""
    if state not in STATES - {IGNORED}:
        return None
    found = twins(actor, matter_id)
    if state == NO_TWIN:
        every = session().scalars(select(Document.id).where(Document.matter_id == matter_id))
        return set(every) - found.statuses.keys()
    return {id for id, statuses in found.statuses.items() if state in {each.state for each in statuses}}


def mark_of(status: TwinStatus) -> str:
    """What a decision was about: the two versions compared and the access. Another mark means another state."""
    facts = status.facts
    reach = str(facts.state) if facts.state in OUT_OF_REACH else ""
    edited = facts.told[:12] if facts.is_rewritten else ""
    return f"{status.onto.document} {facts.latest} {edited} {facts.here} {reach}".casefold()


def _is_in(state: str, status: TwinStatus, decision: Decision | None) -> bool:
    if state == IGNORED:
        return decision is not None
    if status.state is TwinState.SAME or decision is not None:
        return False
    return status.state == state if state else status.state is not TwinState.NOT_CHECKED


def names(matter_id: uuid.UUID, document_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """By document id: its name and the extension of its current version."""
    wanted = set(document_ids)
    rows = session().execute(
        select(Document.id, Document.name, Version.file_name)
        .join(Version, Version.id == Document.current_version_id)
        .where(Document.matter_id == matter_id)
    )
    return {id: (name, split(file_name).extension) for id, name, file_name in rows if id in wanted}


def documents(matter_id: uuid.UUID) -> int:
    """How many documents a matter has that the caller has authorized."""
    return session().scalar(select(func.count()).where(Document.matter_id == matter_id)) or 0


def checking(matter_id: uuid.UUID, server_ids: Collection[uuid.UUID], has_askers: bool) -> Checking:
    """For a matter whose twins on these servers the actor may see."""
    count, oldest = (
        session()
        .execute(
            select(func.count().filter(Link.check_at <= utcnow()), func.min(Link.checked_at))
            .join(Document, Document.id == Link.document_id)
            .where(Document.matter_id == matter_id, Link.server_id.in_(server_ids), Link.ended_at.is_(None))
        )
        .one()
    )
    return Checking(count if has_askers else 0, bool(oldest) and not has_askers, oldest)
