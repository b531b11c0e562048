"""Gets what iManage has and the matter has not: the latest version of each document, as its next version here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from imanage.ids import VersionId
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.drift import board
from services.drift.board import DriftRow
from services.transfers import requests
from services.transfers.requests import GetCommand
from services.transfers.save_checks import started_with


@dataclass(frozen=True)
class GetNewerCommand:
    """The documents of a matter whose twins on this server are newer. `is_held`: guests do not see what arrives."""

    request_key: uuid.UUID
    matter_id: uuid.UUID
    server_id: uuid.UUID
    document_ids: tuple[uuid.UUID, ...]
    is_held: bool = False


def newer(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: tuple[uuid.UUID, ...]
) -> tuple[DriftRow, ...]:
    """Those of the documents of which iManage has a version that is not here. Raises InvalidError for none."""
    permissions.require_transfer(actor, matter_id)
    rows = board.rows_on(actor, matter_id, server_id, document_ids)
    found = tuple(row for row in rows if row.can_be_got)
    if not found:
        raise InvalidError({"document": "iManage has nothing newer of these documents."})
    return found


def start(actor: Actor, command: GetNewerCommand) -> uuid.UUID:
    """Start one transfer with the latest version of each. Idempotent by the request key."""
    if (known := started_with(actor, command.request_key)) is not None:
        return known
    rows = newer(actor, command.matter_id, command.server_id, command.document_ids)
    return requests.start_get(
        actor,
        GetCommand(
            request_key=command.request_key,
            matter_id=command.matter_id,
            server_id=command.server_id,
            sources=tuple(_latest(row) for row in rows),
            into=tuple(row.document_id for row in rows),
            is_held=command.is_held,
        ),
    )


def _latest(row: DriftRow) -> VersionId:
    return row.status.onto.document.at(row.status.facts.latest)
