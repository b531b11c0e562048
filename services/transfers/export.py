"""The results of a transfer as CSV: one row per document, with its outcome on both sides."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from models import Document, Transfer, TransferItem, Version
from services.access.server_access import KnownServers, known_to
from services.core.actor import Actor
from services.core.text.csv import csv_text
from services.core.unit_of_work import session
from services.guidance.outcomes import PRACTICE_NOTE, label_of
from services.transfers import tallies
from services.transfers.item_views import of_version, twins_of, words_of
from services.transfers.links import TwinStatus
from services.transfers.requests import require_transfer
from services.transfers.states import ItemState

HEADER = (
    "name",
    "name here",
    "state",
    "size",
    "sha256",
    "version here",
    "library",
    "number",
    "version",
    "url",
    "twin state",
    "error code",
    "sentence",
    "next step",
    "notices",
    "started",
    "last change",
)


def as_csv(actor: Actor, transfer_id: uuid.UUID) -> str:
    """For members of the matter. Twins are shown only to people who can use the server now."""
    transfer = require_transfer(actor, transfer_id)
    known = known_to(actor)
    query = (
        select(TransferItem, Version.number, Document.name)
        .outerjoin(Version, Version.id == TransferItem.version_id)
        .outerjoin(Document, Document.id == TransferItem.document_id)
        .where(TransferItem.transfer_id == transfer.id)
        .order_by(TransferItem.position)
    )
    rows = session().execute(query).all()
    may_use = known.may_use(transfer.server_id)
    statuses = twins_of(actor, transfer, [item for item, _, _ in rows]) if may_use else {}
    return csv_text(
        HEADER,
        (_row(transfer, known, item, number, name, statuses.get(item.id)) for item, number, name in rows),
    )


def _row(
    transfer: Transfer,
    known: KnownServers,
    item: TransferItem,
    number: int | None,
    name: str | None,
    status: TwinStatus | None,
) -> tuple[object, ...]:
    server, is_done = known.of(transfer.server_id), item.state == ItemState.DONE
    said = words_of(item, server is not None)
    twin = (item.receipt or {}) if is_done and known.may_use(transfer.server_id) else {}
    status = of_version(status, number)
    practice = (PRACTICE_NOTE,) if server is not None and server.is_practice else ()
    return (
        said.name,
        (name or "") if is_done or transfer.kind == "save" else "",
        label_of(item.state, tallies.outcome(transfer.kind, item)),
        "" if item.size is None else item.size,
        item.sha256,
        number or "",
        *(twin.get(part, "") for part in ("library", "number", "version", "url")),
        status.state.label if status else "",
        said.code,
        said.sentence,
        said.next_step,
        " ".join((*said.notices, *practice)),
        transfer.created_at.isoformat(timespec="seconds"),
        item.state_at.isoformat(timespec="seconds"),
    )
