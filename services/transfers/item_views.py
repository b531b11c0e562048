"""The rows of a transfer's page, one per document, those that need a person first; and the filters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, select

from models import Document, Transfer, TransferItem, Version
from services.access.server_access import KnownServers
from services.core.actor import Actor
from services.core.pagination import Page, paginate
from services.core.text.file_names import visible
from services.guidance.outcomes import NOT_FOR_YOU, TRIED_AGAIN, UNDONE, label_of
from services.transfers import decisions, links, tallies
from services.transfers.links import TwinStatus
from services.transfers.states import ItemState

PAGE = 100
ALL = "all"
MOVING = frozenset({ItemState.RUNNING, ItemState.SENDING})
FILTERS: dict[str, frozenset[ItemState]] = {
    ALL: frozenset(ItemState),
    "you": frozenset({ItemState.NEEDS_SIGN_IN, ItemState.NEEDS_DECISION}),
    "running": frozenset({ItemState.RUNNING, ItemState.SENDING, ItemState.RESOLVING}),
    "waiting": frozenset({ItemState.WAITING}),
    "done": frozenset({ItemState.DONE}),
    "failed": frozenset({ItemState.FAILED}),
    "stopped": frozenset({ItemState.STOPPED}),
}


@dataclass(frozen=True)
class Side:
    """One of two versions to compare."""

    reference: str
    who: str | None
    when: datetime | None
    size: int | None
    url: str = ""
    holder: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Question:
    """A decision for a person, with both versions if there are two. `key` is the idempotency key."""

    kind: str
    choices: tuple[str, ...]
    key: uuid.UUID
    ours: Side | None = None
    theirs: Side | None = None


@dataclass(frozen=True)
class ItemView:
    """One row. `name_here` and `name_there` if both are known and differ; `status`: the current state of the twin,
    if the row's version is the current one.

    `seconds_left` only while data moves at a known speed.
    """

    id: uuid.UUID
    name: str
    state: ItemState
    label: str
    name_here: str
    name_there: str
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
    status: TwinStatus | None
    question: Question | None


@dataclass(frozen=True)
class Words:
    """What a viewer may read about an item beside its state."""

    name: str
    code: str
    sentence: str
    next_step: str
    notices: tuple[str, ...]


NAMES_NOTHING = frozenset(
    {
        "transfer.cancelled",
        "transfer.left",
        "transfer.stopped",
        "transfer.database",
        "transfer.unexpected",
        "matter.role",
        "document.gone",
        "server.disabled",
        "server.removed",
        "not_found",
        "quota.installation",
        "quota.matter",
        "quota.member",
        "storage.full",
        "scan.away",
        "scan.infected",
        "scan.too_large",
    }
)
"""Codes whose sentences contain nothing from iManage. Others may contain its ids, names and messages."""


def words_of(item: TransferItem, is_known: bool) -> Words:
    """`is_known`: whether the viewer may know of the transfer's server.

    To others a document that has not arrived has no name, and what came from iManage is not repeated.
    """
    undone = (UNDONE[item.undone],) if item.undone else ()
    notices, next_step = (*(item.warnings or ()), *undone), _next_step(item)
    if is_known or not (item.error_sentence or notices or item.source_id):
        return Words(item.name, item.error_code, item.error_sentence, next_step, notices)
    name = f"Document {item.position}" if item.source_id and item.state != ItemState.DONE else item.name
    if not item.error_sentence or item.error_code in NAMES_NOTHING:
        return Words(name, item.error_code, item.error_sentence, next_step, undone)
    return Words(name, item.error_code, NOT_FOR_YOU, "", ())


def _next_step(item: TransferItem) -> str:
    """An item that will be retried automatically does not ask to try again."""
    waits = item.state == ItemState.WAITING and item.next_step.startswith("Try again")
    return TRIED_AGAIN if waits else item.next_step


def of_transfer(
    actor: Actor, transfer: Transfer, page: int, show: str, known: KnownServers
) -> Page[ItemView]:
    """A page of rows: those that need a person first, then what failed or stopped, then the rest by position.

    Twins are shown only to people who can use the server now.
    """
    query = (
        select(TransferItem, Version.number, Document.name)
        .outerjoin(Version, Version.id == TransferItem.version_id)
        .outerjoin(
            Document, (Document.id == TransferItem.document_id) & (Document.matter_id == transfer.matter_id)
        )
        .where(TransferItem.transfer_id == transfer.id)
        .order_by(
            case(tallies.ROW_ORDER, value=TransferItem.state, else_=tallies.LAST), TransferItem.position
        )
    )
    if show != ALL:
        query = query.where(TransferItem.state.in_(sorted(FILTERS[show])))
    found = paginate(query, page, PAGE)
    is_known, with_twins = known.may_know(transfer.server_id), known.may_use(transfer.server_id)
    statuses = twins_of(actor, transfer, [item for item, _, _ in found.rows]) if with_twins else {}
    return found.with_rows(
        _view(transfer.kind, item, number, name, statuses.get(item.id), is_known, with_twins)
        for item, number, name in found.rows
    )


def twins_of(actor: Actor, transfer: Transfer, items: Sequence[TransferItem]) -> dict[uuid.UUID, TwinStatus]:
    """By finished item, the current state of its document's twin on the transfer's server."""
    documents = {
        item.id: item.document_id for item in items if item.state == ItemState.DONE and item.document_id
    }
    statuses = links.on_server(actor, set(documents.values()), transfer.server_id) if documents else {}
    return {item_id: statuses[id] for item_id, id in documents.items() if id in statuses}


def of_version(status: TwinStatus | None, number: int | None) -> TwinStatus | None:
    """The status, if it is about this version: it compares the document's current version only."""
    return status if status is not None and status.facts.here == number else None


def names_of(item: TransferItem, here: str | None, with_twin: bool) -> tuple[str, str]:
    """The document's names here and in iManage, if it is on both sides and they differ."""
    if item.state != ItemState.DONE or not with_twin or not here:
        return "", ""
    there = str((item.receipt or {}).get("full_name") or item.name)
    return (visible(here), visible(there)) if here != there else ("", "")


def _view(
    kind: str,
    item: TransferItem,
    version_number: int | None,
    name: str | None,
    status: TwinStatus | None,
    is_known: bool,
    with_twin: bool,
) -> ItemView:
    speed, said = _speed(item), words_of(item, is_known)
    here, there = names_of(item, name, with_twin)
    done = item.state == ItemState.DONE
    is_here = done and name is not None
    twin = (item.receipt or {}) if done and with_twin else {}
    return ItemView(
        id=item.id,
        name=visible(said.name),
        state=item.state,
        label=label_of(item.state, tallies.outcome(kind, item)),
        name_here=here,
        name_there=there,
        size=item.size,
        bytes_done=item.bytes_done,
        is_moving=item.state in MOVING,
        bytes_a_second=speed,
        seconds_left=(item.size - item.bytes_done) / speed if speed and item.size else None,
        sentence=said.sentence,
        next_step=said.next_step,
        wait_until=item.wait_until,
        notices=said.notices,
        document_id=item.document_id if is_here else None,
        version_number=version_number if is_here else None,
        twin=f"{twin['library']} {twin['number']} v{twin['version']}" if twin else "",
        twin_url=str(twin.get("url", "")),
        status=of_version(status, version_number) if is_here else None,
        question=_question(item, with_twin) if item.state == ItemState.NEEDS_DECISION else None,
    )


def _question(item: TransferItem, with_twin: bool) -> Question:
    """The version in iManage is shown only to people who can use the server now. The key is stable per question."""
    kind = decisions.kind_of(item)
    asked = item.question or {}
    theirs = asked.get("theirs") or {}
    shown = bool(theirs) and with_twin
    return Question(
        kind=kind,
        choices=decisions.choices_of(item),
        key=uuid.uuid5(item.id, str(theirs.get("id", kind))),
        ours=_side(asked["ours"], f"Version {asked['ours']['version']} here") if shown else None,
        theirs=_side(theirs, str(theirs["reference"])) if shown else None,
    )


def _side(facts: dict[str, Any], reference: str) -> Side:
    return Side(
        reference=reference,
        who=facts.get("who"),
        when=_moment(facts.get("when")),
        size=facts.get("size"),
        url=facts.get("url") or "",
        holder=facts.get("holder") or "",
        since=_moment(facts.get("since")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _speed(item: TransferItem) -> float | None:
    if item.state not in MOVING or item.progress_at is None or not item.bytes_done:
        return None
    seconds = (item.progress_at - item.state_at).total_seconds()
    return item.bytes_done / seconds if seconds > 0 else None
