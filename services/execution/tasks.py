"""What an item asks for, what of it goes out in a save, and what iManage said when it had that."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from copying.values import Target, target
from imanage.ids import VersionId
from models import Server, Transfer, TransferItem
from services.execution.authorization import ASK_SECONDS


@dataclass(frozen=True)
class Task:
    """What an item asks for: a get has its `source`, a save its `target`. None of it changes while it is carried."""

    id: uuid.UUID
    transfer_id: uuid.UUID
    kind: str
    position: int
    name: str
    source: VersionId | None
    version_id: uuid.UUID | None
    target: Target | None
    note: str
    based_on: int | None
    sends: int
    matter_id: uuid.UUID
    member_id: uuid.UUID
    server_id: uuid.UUID | None
    at_once: int | None
    batch_id: uuid.UUID | None

    @property
    def mark(self) -> str:
        """What the comment of a saved version carries, so that it is known again."""
        return f"[Counterpart {self.id.hex[:12]}]"


def partial_tokens(item_id: uuid.UUID) -> tuple[str, ...]:
    """Where a get's bytes may be gathered: the next one while another process holds the one before."""
    return (f"get-{item_id}", f"get-{item_id}-2", f"get-{item_id}-3")


TASK = (
    select(
        TransferItem.id,
        TransferItem.transfer_id,
        Transfer.kind,
        TransferItem.position,
        TransferItem.name,
        TransferItem.source_id,
        TransferItem.version_id,
        TransferItem.target,
        TransferItem.target_id,
        TransferItem.note,
        TransferItem.based_on,
        TransferItem.sends,
        Transfer.matter_id,
        Transfer.member_id,
        Transfer.server_id,
        Server.at_once,
        TransferItem.batch_id,
    )
    .join(Transfer, Transfer.id == TransferItem.transfer_id)
    .outerjoin(Server, Server.id == Transfer.server_id)
    .order_by(TransferItem.position)
)


def task_of(row: Row[*tuple[Any, ...]]) -> Task:
    """The task of a row of TASK, whose texts become ids here."""
    values = {name: value for name, value in row._mapping.items() if name in Task.__dataclass_fields__}
    is_save = row.kind == "save"
    values["source"] = None if is_save else VersionId.parse(row.source_id)
    values["target"] = target(row.target, row.target_id) if is_save else None
    return Task(**values)


@dataclass(frozen=True)
class Outgoing:
    """The version that is saved, and who saves it as iManage knows him, as they were a moment ago."""

    file_name: str
    size: int
    sha256: str
    operator: str | None
    asked_at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self.asked_at < ASK_SECONDS


@dataclass(frozen=True)
class Claim:
    """An item that was taken over: whoever takes it over next has a higher fence."""

    item_id: uuid.UUID
    fencing_token: int


@dataclass(frozen=True)
class Stored:
    """What iManage said when it had stored a save."""

    receipt: dict[str, Any]
    warnings: tuple[str, ...]
