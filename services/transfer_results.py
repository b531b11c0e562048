"""The results of a transfer as a table to keep: one row a document, with what became of it on both sides."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select

from models import TransferItem, Version
from services.actor import Actor
from services.csv_text import csv_text
from services.server_access import available_to
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
    server = {server.id: server for server in available_to(actor)}.get(transfer.server_id or transfer.id)
    usable, practice = server is not None, server is not None and server.is_practice
    rows = session().execute(
        select(TransferItem, Version.number)
        .outerjoin(Version, Version.id == TransferItem.version_id)
        .where(TransferItem.transfer_id == transfer.id)
        .order_by(TransferItem.position)
    )
    return csv_text(
        HEADER, (_row(item, number, usable, practice, transfer.created_at) for item, number in rows)
    )


def _row(
    item: TransferItem, number: int | None, usable: bool, practice: bool, started: datetime
) -> tuple[object, ...]:
    twin = (item.receipt or {}) if usable and item.state == DONE else {}
    return (
        item.name,
        LABELS[item.state],
        "" if item.size is None else item.size,
        item.sha256,
        number or "",
        *(twin.get(part, "") for part in ("library", "number", "version", "url")),
        item.error_code,
        item.error_sentence,
        item.next_step,
        " ".join((*(item.warnings or ()), *((PRACTICE_NOTE,) if practice else ()))),
        _time(started),
        _time(item.state_at),
    )


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
