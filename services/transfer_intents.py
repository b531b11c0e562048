"""What the steps of a save share: the client of the person who saves, and the intent as it stands on the row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast

from imanage.client import Client
from models import TransferItem
from services import connections
from services.transfer_running import Running, fresh
from transfers.items import Intent, TargetKind

T = TypeVar("T")


def with_client(running: Running, call: Callable[[Client], T]) -> T:
    transfer = fresh(running).transfer
    member_id, server_id = transfer.member_id, cast(uuid.UUID, transfer.server_id)
    return connections.with_client(member_id, server_id, call)


def kind_of(item: TransferItem) -> TargetKind:
    return cast(TargetKind, item.target)


def intent_of(item: TransferItem) -> Intent:
    return Intent.from_record(cast(dict[str, Any], item.intent))
