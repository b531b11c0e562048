"""The end of a get: version, link, audit event and item state in one commit, shared by gets that arrive together."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Uuid, bindparam, select
from sqlalchemy.orm import Session

from models import Document, Link, Version
from services.core import audit
from services.core.group_commit import GroupCommit
from services.core.text.file_names import adapt
from services.core.unit_of_work import optimistic
from services.execution import item_run
from services.execution.completion import Ending, Held, end, hold
from services.execution.item_run import Claim, ItemRun
from services.matters import adding, quotas
from services.matters.adding import Added, Addition, Plan
from services.transfers.link_facts import Facts, link_values
from services.transfers.outcomes import Outcome
from services.transfers.states import ItemState

LINGER_SECONDS = 0.04
"""How long an arrival waits for others to share its commit. No slot is held meanwhile."""


@dataclass(frozen=True)
class Arrived:
    """Bytes in the store, what iManage said of them, and a file name that fits any disk."""

    claim: Claim
    sha256: str
    size: int
    facts: Facts
    file_name: str


@dataclass(frozen=True)
class _Candidate:
    """A get to be landed: the document that it becomes a version of, and `same`: the identical version, if here."""

    arrived: Arrived
    item: Held
    document_id: uuid.UUID | None = None
    same: Row[*tuple[Any, ...]] | None = None
    is_older: bool = False

    @property
    def becomes_current(self) -> bool:
        return not self.is_older or self.item.older_becomes_current

    def keys(self) -> set[tuple[object, ...]]:
        """Two candidates with a common key must be written one after the other, so that the second sees the first."""
        item, facts = self.item, self.arrived.facts
        twin = (item.matter_id, item.server_id, facts["library"].casefold(), facts["number"])
        return {
            twin,
            (item.matter_id, self.arrived.sha256),
            *([(item.document_id,)] if item.document_id else []),
        }


@dataclass(frozen=True)
class _Batch:
    """The rows of several gets that do not depend on each other."""

    plan: Plan
    ending: Ending


@dataclass(frozen=True)
class _Changes:
    """The first batch, ready to be written; those prepared once it is written; and the error of each arrival."""

    errors: Sequence[Exception | None]
    ready: Sequence[_Batch]
    later: Sequence[Sequence[_Candidate]]


def land(run: ItemRun, sha256: str, size: int, facts: Facts) -> None:
    """Commit the version, its link and the end of the item. Returns when they are committed."""
    _group_commit(Arrived(run.claim, sha256, size, facts, adapt(facts["full_name"]).full))
    run.is_over = True


def _write(arrivals: Sequence[Arrived]) -> Sequence[Exception | None]:
    return optimistic(partial(_prepare, arrivals), _apply, relaxed_durability=True)


def _prepare(arrivals: Sequence[Arrived], current: Session) -> _Changes:
    reading = current.connection()
    held, gone = hold(reading, [arrived.claim for arrived in arrivals])
    candidates = [_Candidate(arrived, held[arrived.claim]) for arrived in arrivals if arrived.claim in held]
    full = _over_quota(reading, candidates)
    errors = [full.get(arrived.claim, error) for arrived, error in zip(arrivals, gone, strict=True)]
    batches = list(_independent([each for each in candidates if each.arrived.claim not in full]))
    return _Changes(errors, [_prepare_batch(reading, batch) for batch in batches[:1]], batches[1:])


def _over_quota(
    reading: Connection, candidates: Sequence[_Candidate]
) -> dict[Claim, quotas.QuotaReachedError]:
    """Claims that would exceed a quota: others may have landed since theirs was checked."""
    if not candidates or not quotas.has_limits():
        return {}
    new = [each for each in _with_twins(reading, candidates) if each.same is None]
    files = [quotas.IncomingFile(each.item.matter_id, each.item.member_id, each.arrived.size) for each in new]
    answers = zip(new, quotas.admit(files), strict=True)
    return {each.arrived.claim: reached for each, reached in answers if reached is not None}


def _apply(current: Session, changes: _Changes) -> Sequence[Exception | None]:
    writing = current.connection()
    for batch in changes.ready:
        _write_batch(writing, batch)
    for candidates in changes.later:
        _write_batch(writing, _prepare_batch(writing, candidates))
    return changes.errors


_group_commit = GroupCommit(_write, linger=LINGER_SECONDS, expected=item_run.active_count)


_MATTERS = bindparam("matters", expanding=True, type_=Uuid())
# Built once: building a statement costs more than running it.
_LINKED = (
    select(
        Document.matter_id,
        Link.server_id,
        Link.library_key,
        Link.number,
        Link.version,
        Link.document_id,
        Link.version_id,
        Version.sha256,
        Version.number.label("version_number"),
        Document.name,
    )
    .join(Document, Document.id == Link.document_id)
    .join(Version, Version.id == Link.version_id)
    .where(
        Link.server_id.in_(bindparam("servers", expanding=True)),
        Link.library_key.in_(bindparam("libraries", expanding=True)),
        Link.number.in_(bindparam("numbers", expanding=True)),
        Link.ended_at.is_(None),
        Document.matter_id.in_(_MATTERS),
    )
    .order_by(Link.created_at)
)
_SAME_BYTES = (
    select(Document.matter_id, Document.id, Document.name, Version.sha256, Version.number)
    .join(Version, Version.document_id == Document.id)
    .where(Version.sha256.in_(bindparam("sums", expanding=True)), Document.matter_id.in_(_MATTERS))
    .order_by(Version.created_at.desc(), Version.number.desc())
)


def _independent(candidates: Sequence[_Candidate]) -> Iterator[list[_Candidate]]:
    """Batches in the order of arrival, none of which has two candidates with a common key."""
    batch: list[_Candidate] = []
    seen: set[tuple[object, ...]] = set()
    for each in candidates:
        keys = each.keys()
        if keys & seen:
            yield batch
            batch, seen = [], set()
        batch.append(each)
        seen |= keys
    if batch:
        yield batch


def _with_twins(reading: Connection, candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """The candidates with their twins here. A document got again is the next version of its twin, unless identical."""
    facts = [each.arrived.facts for each in candidates]
    links = reading.execute(
        _LINKED,
        {
            "servers": [each.item.server_id for each in candidates],
            "libraries": [each["library"].casefold() for each in facts],
            "numbers": [each["number"] for each in facts],
            "matters": [each.item.matter_id for each in candidates],
        },
    ).all()
    return [_with_twin(each, links) for each in candidates]


def _with_twin(each: _Candidate, links: Sequence[Row[*tuple[Any, ...]]]) -> _Candidate:
    item, arrived, facts = each.item, each.arrived, each.arrived.facts
    twin = (item.matter_id, item.server_id, facts["library"].casefold(), facts["number"])
    ours = [row for row in links if (row.matter_id, row.server_id, row.library_key, row.number) == twin]
    document_id = item.document_id or (ours[-1].document_id if ours else None)
    same = [
        row
        for row in ours
        if (row.document_id, row.version, row.sha256) == (document_id, facts["version"], arrived.sha256)
    ]
    return _Candidate(
        arrived, item, document_id, same[0] if same else None, _is_older(each, document_id, ours)
    )


def _is_older(each: _Candidate, document_id: uuid.UUID | None, ours: Sequence[Row[*tuple[Any, ...]]]) -> bool:
    """Whether it is older than the newest version got so far; without any, than the latest in iManage."""
    facts = each.arrived.facts
    had = [row.version for row in ours if row.document_id == document_id]
    return document_id is not None and facts["version"] < max(had, default=facts["latest"])


def _prepare_batch(reading: Connection, batch: Sequence[_Candidate]) -> _Batch:
    candidates = _with_twins(reading, batch)
    new = [each for each in candidates if each.same is None]
    same_bytes = _same_bytes_elsewhere(reading, new)
    additions = [
        Addition(
            matter_id=each.item.matter_id,
            member_id=each.item.member_id,
            file_name=each.arrived.file_name,
            sha256=each.arrived.sha256,
            size=each.arrived.size,
            document_id=each.document_id,
            becomes_current=each.becomes_current,
            is_held=each.item.is_held,
        )
        for each in new
    ]
    plan = adding.plan(reading, additions)
    added = dict(zip((each.item.id for each in new), plan.added, strict=True))
    links = [
        link_values(
            "got",
            each.arrived.facts,
            server_id=each.item.server_id,
            document_id=added[each.item.id].document_id,
            version_id=added[each.item.id].version_id,
            member_id=each.item.member_id,
            checksum=each.arrived.sha256,
        )
        for each in new
    ]
    values, events = {}, []
    for each in candidates:
        if each.same is not None:
            became = Added(
                each.same.document_id, each.same.name, each.same.version_id, each.same.version_number
            )
            outcome = Outcome.HERE_ALREADY
            notice = f"This is already version {became.number} here, so nothing was added."
        else:
            became = added[each.item.id]
            outcome = _outcome(each)
            notice = _notice(same_bytes, each, became)
        values[each.item.id] = _item_values(each.arrived, became, outcome, notice)
        events.append(
            audit.event(
                each.item.actor,
                "transfer.got" if each.same is None else "transfer.here_already",
                f"{became.document_name} v{became.number}",
                subject_id=became.version_id,
                matter_id=each.item.matter_id,
                server_id=each.item.server_id,
                source=each.arrived.facts["id"],
                sha256=each.arrived.sha256,
                size=each.arrived.size,
                notice=notice,
            )
        )
    return _Batch(plan, Ending([each.item for each in candidates], links, values, events))


def _write_batch(writing: Connection, batch: _Batch) -> None:
    adding.write(writing, batch.plan)
    quotas.note_added(sum(row["size"] for row in batch.plan.versions))
    end(writing, batch.ending, ItemState.RUNNING)


def _item_values(arrived: Arrived, became: Added, outcome: Outcome, notice: str) -> dict[str, Any]:
    return {
        "name": arrived.facts["full_name"][:300],
        "sha256": arrived.sha256,
        "size": arrived.size,
        "bytes_done": arrived.size,
        "receipt": arrived.facts,
        "document_id": became.document_id,
        "version_id": became.version_id,
        "replaced_id": became.replaced_id,
        "outcome": outcome.value,
        "warnings": [notice] if notice else [],
    }


def _same_bytes_elsewhere(reading: Connection, new: Sequence[_Candidate]) -> Sequence[Row[*tuple[Any, ...]]]:
    if not new:
        return ()
    return reading.execute(
        _SAME_BYTES,
        {
            "sums": [each.arrived.sha256 for each in new],
            "matters": [each.item.matter_id for each in new],
        },
    ).all()


def _outcome(each: _Candidate) -> Outcome:
    if each.document_id is None:
        return Outcome.ADDED
    return Outcome.NEW_VERSION if each.becomes_current else Outcome.IN_HISTORY


def _notice(same_bytes: Sequence[Row[*tuple[Any, ...]]], each: _Candidate, became: Added) -> str:
    said = ["It is held for members."] if each.item.is_held else []
    if each.document_id is None and became.document_name != each.arrived.facts["full_name"]:
        said.append(f"It is named “{became.document_name}” here.")
    if not each.becomes_current:
        said.append(
            f"An older version. It was added to the history as version {became.number} and not made current."
        )
    for row in same_bytes:
        here = (row.matter_id, row.sha256) == (each.item.matter_id, each.arrived.sha256)
        if here and row.id != became.document_id:
            said.append(f"This file is already in the matter as {row.name} version {row.number}.")
            break
    return " ".join(said)
