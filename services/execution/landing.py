"""The end of a get: version, link, audit event and the item's end in one commit, for all that arrive together."""

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
from services.matters import landing as matters_landing
from services.matters import quotas
from services.matters.landing import Landed, Landing, Plan
from services.transfers.link_facts import Facts, link_values
from services.transfers.outcomes import Outcome
from services.transfers.states import ItemState

LINGER_SECONDS = 0.04
"""How long what has arrived waits for others that are on their way. It keeps nobody's place meanwhile."""


@dataclass(frozen=True)
class Arrived:
    """Bytes that are in the store, with what iManage said of them, and under a name that we take."""

    claim: Claim
    sha256: str
    size: int
    facts: Facts
    file_name: str


@dataclass(frozen=True)
class _Coming:
    """One that lands, and what is known of it here: the document that its twin is, and the very same version."""

    arrived: Arrived
    item: Held
    document_id: uuid.UUID | None = None
    same: Row[*tuple[Any, ...]] | None = None
    is_older: bool = False

    @property
    def becomes_current(self) -> bool:
        return not self.is_older or self.item.older_becomes_current

    def keys(self) -> set[tuple[object, ...]]:
        """Two that share one of these have to land one after the other: the later sees the earlier."""
        item, facts = self.item, self.arrived.facts
        twin = (item.matter_id, item.server_id, facts["library"].casefold(), facts["number"])
        return {
            twin,
            (item.matter_id, self.arrived.sha256),
            *([(item.document_id,)] if item.document_id else []),
        }


@dataclass(frozen=True)
class _Ready:
    """All that several write that land together."""

    plan: Plan
    ending: Ending


@dataclass(frozen=True)
class _Seen:
    """What is ready to be written, what can be prepared only when that is, and what is wrong with each that arrived."""

    errors: Sequence[Exception | None]
    ready: Sequence[_Ready]
    later: Sequence[Sequence[_Coming]]


def land(run: ItemRun, sha256: str, size: int, facts: Facts) -> None:
    """The version row and its link appear in one commit, and the item is done in the same."""
    _group_commit(Arrived(run.claim, sha256, size, facts, adapt(facts["full_name"]).full))
    run.is_over = True


def _write(arrivals: Sequence[Arrived]) -> Sequence[Exception | None]:
    return optimistic(partial(_look, arrivals), _put, relaxed_durability=True)


def _look(arrivals: Sequence[Arrived], current: Session) -> _Seen:
    reading = current.connection()
    held, gone = hold(reading, [arrived.claim for arrived in arrivals])
    coming = [_Coming(arrived, held[arrived.claim]) for arrived in arrivals if arrived.claim in held]
    full = _over_quota(reading, coming)
    errors = [full.get(arrived.claim, error) for arrived, error in zip(arrivals, gone, strict=True)]
    batches = list(_one_after_the_other([each for each in coming if each.arrived.claim not in full]))
    return _Seen(errors, [_prepared(reading, batch) for batch in batches[:1]], batches[1:])


def _over_quota(reading: Connection, coming: Sequence[_Coming]) -> dict[Claim, quotas.QuotaReachedError]:
    """Those that would pass a limit: others may have landed since they were let in."""
    if not coming or not quotas.has_limits():
        return {}
    new = [each for each in _known_here(reading, coming) if each.same is None]
    files = [quotas.IncomingFile(each.item.matter_id, each.item.member_id, each.arrived.size) for each in new]
    answers = zip(new, quotas.admit(files), strict=True)
    return {each.arrived.claim: reached for each, reached in answers if reached is not None}


def _put(current: Session, seen: _Seen) -> Sequence[Exception | None]:
    writing = current.connection()
    for ready in seen.ready:
        _land(writing, ready)
    for batch in seen.later:
        _land(writing, _prepared(writing, batch))
    return seen.errors


_group_commit = GroupCommit(_write, linger=LINGER_SECONDS, others=item_run.active_count)


_MATTERS = bindparam("matters", expanding=True, type_=Uuid())
# Made once: to make a statement costs more than to run it.
_KNOWN = (
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
_ALIKE = (
    select(Document.matter_id, Document.id, Document.name, Version.sha256, Version.number)
    .join(Version, Version.document_id == Document.id)
    .where(Version.sha256.in_(bindparam("sums", expanding=True)), Document.matter_id.in_(_MATTERS))
    .order_by(Version.created_at.desc(), Version.number.desc())
)


def _one_after_the_other(coming: Sequence[_Coming]) -> Iterator[list[_Coming]]:
    batch: list[_Coming] = []
    seen: set[tuple[object, ...]] = set()
    for each in coming:
        keys = each.keys()
        if keys & seen:
            yield batch
            batch, seen = [], set()
        batch.append(each)
        seen |= keys
    if batch:
        yield batch


def _known_here(reading: Connection, coming: Sequence[_Coming]) -> list[_Coming]:
    """A document got again becomes the next version of the one it is the twin of, and nothing if it is here already."""
    facts = [each.arrived.facts for each in coming]
    links = reading.execute(
        _KNOWN,
        {
            "servers": [each.item.server_id for each in coming],
            "libraries": [each["library"].casefold() for each in facts],
            "numbers": [each["number"] for each in facts],
            "matters": [each.item.matter_id for each in coming],
        },
    ).all()
    return [_known(each, links) for each in coming]


def _known(each: _Coming, links: Sequence[Row[*tuple[Any, ...]]]) -> _Coming:
    item, arrived, facts = each.item, each.arrived, each.arrived.facts
    twin = (item.matter_id, item.server_id, facts["library"].casefold(), facts["number"])
    ours = [row for row in links if (row.matter_id, row.server_id, row.library_key, row.number) == twin]
    document_id = item.document_id or (ours[-1].document_id if ours else None)
    same = [
        row
        for row in ours
        if (row.document_id, row.version, row.sha256) == (document_id, facts["version"], arrived.sha256)
    ]
    return _Coming(arrived, item, document_id, same[0] if same else None, _is_older(each, document_id, ours))


def _is_older(each: _Coming, document_id: uuid.UUID | None, ours: Sequence[Row[*tuple[Any, ...]]]) -> bool:
    """Than the newest of its versions that the document has had; of another document there, than its latest."""
    facts = each.arrived.facts
    had = [row.version for row in ours if row.document_id == document_id]
    return document_id is not None and facts["version"] < max(had, default=facts["latest"])


def _prepared(reading: Connection, batch: Sequence[_Coming]) -> _Ready:
    coming = _known_here(reading, batch)
    new = [each for each in coming if each.same is None]
    alike = _same_bytes_elsewhere(reading, new)
    landings = [
        Landing(
            matter_id=each.item.matter_id,
            member_id=each.item.member_id,
            file_name=each.arrived.file_name,
            sha256=each.arrived.sha256,
            size=each.arrived.size,
            document_id=each.document_id,
            becomes_current=each.becomes_current,
        )
        for each in new
    ]
    plan = matters_landing.plan(reading, landings)
    landed = dict(zip((each.item.id for each in new), plan.landed, strict=True))
    links = [
        link_values(
            "got",
            each.arrived.facts,
            server_id=each.item.server_id,
            document_id=landed[each.item.id].document_id,
            version_id=landed[each.item.id].version_id,
            member_id=each.item.member_id,
            checksum=each.arrived.sha256,
        )
        for each in new
    ]
    values, events = {}, []
    for each in coming:
        if each.same is not None:
            became = Landed(
                each.same.document_id, each.same.name, each.same.version_id, each.same.version_number
            )
            outcome = Outcome.HERE_ALREADY
            notice = f"This is already version {became.number} here, so nothing was added."
        else:
            became = landed[each.item.id]
            outcome = _outcome(each)
            notice = _notice(alike, each, became)
        values[each.item.id] = _kept(each.arrived, became, outcome, notice)
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
    return _Ready(plan, Ending([each.item for each in coming], links, values, events))


def _land(writing: Connection, ready: _Ready) -> None:
    matters_landing.write(writing, ready.plan)
    quotas.note_added(sum(row["size"] for row in ready.plan.versions))
    end(writing, ready.ending, ItemState.RUNNING)


def _kept(arrived: Arrived, became: Landed, outcome: Outcome, notice: str) -> dict[str, Any]:
    return {
        "name": arrived.facts["full_name"][:300],
        "sha256": arrived.sha256,
        "size": arrived.size,
        "bytes_done": arrived.size,
        "receipt": arrived.facts,
        "document_id": became.document_id,
        "version_id": became.version_id,
        "outcome": outcome.value,
        "warnings": [notice] if notice else [],
    }


def _same_bytes_elsewhere(reading: Connection, new: Sequence[_Coming]) -> Sequence[Row[*tuple[Any, ...]]]:
    if not new:
        return ()
    return reading.execute(
        _ALIKE,
        {
            "sums": [each.arrived.sha256 for each in new],
            "matters": [each.item.matter_id for each in new],
        },
    ).all()


def _outcome(each: _Coming) -> Outcome:
    if each.document_id is None:
        return Outcome.ADDED
    return Outcome.NEW_VERSION if each.becomes_current else Outcome.IN_HISTORY


def _notice(alike: Sequence[Row[*tuple[Any, ...]]], each: _Coming, became: Landed) -> str:
    said = []
    if each.document_id is None and became.document_name != each.arrived.facts["full_name"]:
        said.append(f"It is named “{became.document_name}” here.")
    if not each.becomes_current:
        said.append(
            f"An older version. It was added to the history as version {became.number} and not made current."
        )
    for row in alike:
        here = (row.matter_id, row.sha256) == (each.item.matter_id, each.arrived.sha256)
        if here and row.id != became.document_id:
            said.append(f"This file is already in the matter as {row.name} version {row.number}.")
            break
    return " ".join(said)
