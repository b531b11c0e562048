"""The results of a transfer as a table to keep: one row a document, with what became of it on both sides."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select

from models import TransferItem, Version
from services.actor import Actor
from services.csv_text import csv_text
from services.server_access import known_to
from services.transfer_items import words_of
from services.transfer_states import DONE, LABELS
from services.transfers import require_transfer
from services.unit import session

PRACTICE_NOTE = "Moved with the practice iManage, which is not a real system."
HEADER = (
    "name",
    "state",
    "size",
    "sha256",
    "version here",
    "library",
    "number",
    "version",
    "url",
    "error code",
    "sentence",
    "next step",
    "notices",
    "started",
    "last change",
)


def as_csv(actor: Actor, transfer_id: uuid.UUID) -> str:
    """For a member of the matter. Twins are named only to somebody who can use the server now."""
    transfer = require_transfer(actor, transfer_id)
    known = known_to(actor)
    server = known.of(transfer.server_id)
    usable, practice = known.may_use(transfer.server_id), server is not None and server.is_practice
    rows = session().execute(
        select(TransferItem, Version.number)
        .outerjoin(Version, Version.id == TransferItem.version_id)
        .where(TransferItem.transfer_id == transfer.id)
        .order_by(TransferItem.position)
    )
    is_known = server is not None
    return csv_text(
        HEADER, (_row(item, number, is_known, usable, practice, transfer.created_at) for item, number in rows)
    )


def _row(
    item: TransferItem, number: int | None, is_known: bool, usable: bool, practice: bool, started: datetime
) -> tuple[object, ...]:
    said = words_of(item, is_known)
    twin = (item.receipt or {}) if usable and item.state == DONE else {}
    return (
        said.name,
        LABELS[item.state],
        "" if item.size is None else item.size,
        item.sha256,
        number or "",
        *(twin.get(part, "") for part in ("library", "number", "version", "url")),
        said.code,
        said.sentence,
        said.next_step,
        " ".join((*said.notices, *((PRACTICE_NOTE,) if practice else ()))),
        _time(started),
        _time(item.state_at),
    )


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
