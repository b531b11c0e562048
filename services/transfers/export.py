"""The results of a transfer as CSV: one row per document, with its outcome on both sides."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from models import Document, Transfer, TransferItem, Version
from services.access.server_access import known_to
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
    server = known.of(transfer.server_id)
    usable, practice = known.may_use(transfer.server_id), server is not None and server.is_practice
    rows = (
        session()
        .execute(
            select(TransferItem, Version.number, Document.name)
            .outerjoin(Version, Version.id == TransferItem.version_id)
            .outerjoin(Document, Document.id == TransferItem.document_id)
            .where(TransferItem.transfer_id == transfer.id)
            .order_by(TransferItem.position)
        )
        .all()
    )
    statuses = twins_of(actor, transfer, [item for item, _, _ in rows]) if usable else {}
    shown = Shown(transfer, server is not None, usable, practice)
    return csv_text(
        HEADER, (_row(shown, item, number, name, statuses.get(item.id)) for item, number, name in rows)
    )


@dataclass(frozen=True)
class Shown:
    """A transfer, and what its reader may know about the server."""

    transfer: Transfer
    is_known: bool
    is_usable: bool
    is_practice: bool


def _row(
    shown: Shown, item: TransferItem, number: int | None, name: str | None, status: TwinStatus | None
) -> tuple[object, ...]:
    said, usable = words_of(item, shown.is_known), shown.is_usable
    twin = (item.receipt or {}) if usable and item.state == ItemState.DONE else {}
    status = of_version(status, number)
    return (
        said.name,
        (name or "") if item.state == ItemState.DONE or shown.transfer.kind == "save" else "",
        label_of(item.state, tallies.outcome(shown.transfer.kind, item)),
        "" if item.size is None else item.size,
        item.sha256,
        number or "",
        *(twin.get(part, "") for part in ("library", "number", "version", "url")),
        status.state.label if status else "",
        said.code,
        said.sentence,
        said.next_step,
        " ".join((*said.notices, *((PRACTICE_NOTE,) if shown.is_practice else ()))),
        _time(shown.transfer.created_at),
        _time(item.state_at),
    )


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
