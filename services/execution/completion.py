"""The end of several items in one commit: lock rows, change states, add links and audit events, finish transfers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, select

from models import Member, ServerCircuit, Transfer, TransferItem, db, utcnow
from services.core import audit
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.execution.authorization import removed
from services.execution.item_run import Claim, TakenOverError
from services.servers import circuit_breaker
from services.transfers import lifecycle
from services.transfers.link_facts import ADD_LINKS
from services.transfers.states import LIVE, TRANSITIONS, ItemState, require


@dataclass(frozen=True)
class Held:
    """An item's row, locked until the unit of work ends, with facts of its transfer.

    `has_failed` is the server's id where it has a circuit breaker row, that is a failure to be cleared.
    """

    id: uuid.UUID
    fencing_token: int
    state: ItemState
    name: str
    document_id: uuid.UUID | None
    version_id: uuid.UUID | None
    target: str
    older_becomes_current: bool
    is_held: bool
    sends: int
    sha256: str
    size: int | None
    transfer_id: uuid.UUID
    matter_id: uuid.UUID
    member_id: uuid.UUID
    server_id: uuid.UUID
    server_name: str
    member_name: str
    member_email: str
    has_failed: uuid.UUID | None

    @property
    def actor(self) -> Actor:
        """The member who asked for it: a worker acts in their name and with their rights."""
        return Actor(self.member_id, self.member_name, self.member_email)


_NO_ERROR = {"error_code": "", "error_sentence": "", "next_step": ""}
_HELD = (
    select(
        TransferItem.id,
        TransferItem.fencing_token,
        TransferItem.state,
        TransferItem.name,
        TransferItem.document_id,
        TransferItem.version_id,
        TransferItem.target,
        TransferItem.older_becomes_current,
        TransferItem.is_held,
        TransferItem.sends,
        TransferItem.sha256,
        TransferItem.size,
        TransferItem.transfer_id,
        Transfer.matter_id,
        Transfer.member_id,
        Transfer.server_id,
        Transfer.server_name,
        Member.name.label("member_name"),
        Member.email.label("member_email"),
        ServerCircuit.server_id.label("has_failed"),
    )
    .join(Transfer, Transfer.id == TransferItem.transfer_id)
    .join(Member, Member.id == Transfer.member_id)
    .outerjoin(ServerCircuit, ServerCircuit.server_id == Transfer.server_id)
    .where(TransferItem.id.in_(bindparam("ids", expanding=True)))
    .order_by(TransferItem.transfer_id, TransferItem.position)
    .with_for_update(of=TransferItem)
)


def hold(
    reading: Connection, claims: Sequence[Claim]
) -> tuple[dict[Claim, Held], list[TakenOverError | RefusedError | None]]:
    """Lock the rows of the claims that are still valid, in the open unit of work; the second list says what is wrong.

    Of two claims to one item, as after a takeover from a worker that was only slow, the later one is valid.
    """
    rows = reading.execute(_HELD, {"ids": [claim.item_id for claim in claims]})
    found = {row.id: row for row in rows}
    held: dict[Claim, Held] = {}
    errors: list[TakenOverError | RefusedError | None] = []
    for claim in claims:
        row = found.get(claim.item_id)
        if row is None or row.fencing_token != claim.fencing_token or row.state not in LIVE:
            errors.append(TakenOverError())
        elif row.server_id is None:
            errors.append(removed())
        else:
            held[claim] = Held(**row._mapping)
            errors.append(None)
    return held, errors


def change(writing: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Change several items in one statement and clear their errors; all rows name the same columns."""
    if rows:
        writing.execute(_changing(tuple(rows[0])), [{**row, **_NO_ERROR} for row in rows])


@cache
def _changing(names: tuple[str, ...]) -> Update:
    items = db.metadata.tables[TransferItem.__tablename__]
    columns = {*names, *_NO_ERROR} - {"of_item"}
    return items.update().where(items.c.id == bindparam("of_item")).values({n: bindparam(n) for n in columns})


@dataclass(frozen=True)
class Ending:
    """Several items that are done, and what is written with them; `values` are further columns of each row."""

    items: Sequence[Held]
    links: Sequence[dict[str, Any]]
    values: Mapping[uuid.UUID, dict[str, Any]]
    events: Sequence[audit.Event]


def end(writing: Connection, ending: Ending, way: ItemState) -> None:
    """Write links, states and audit events, in the open unit of work. `way`: the state to pass through before DONE."""
    if ending.links:
        writing.execute(ADD_LINKS, ending.links)
    now = utcnow()
    for item in ending.items:
        require(item.state, *([] if ItemState.DONE in TRANSITIONS[item.state] else [way]), ItemState.DONE)
    change(
        writing,
        [
            {"of_item": item.id, "state": ItemState.DONE, "state_at": now, **ending.values[item.id]}
            for item in ending.items
        ],
    )
    for server_id in {item.server_id for item in ending.items if item.has_failed}:
        circuit_breaker.record_success(server_id)
    lifecycle.finish_ended({item.transfer_id for item in ending.items})
    audit.record_all(ending.events)
