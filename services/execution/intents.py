"""What the steps of a save share: the client of the person who saves, and the intent as it stands on the row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast

from copying.values import Intent, Target
from imanage.client import Client
from models import TransferItem
from services.connections import clients
from services.execution.item_run import ItemRun
from services.execution.tasks import Task

T = TypeVar("T")


def with_client(run: ItemRun, call: Callable[[Client], T]) -> T:
    """Make the call while a place is held."""
    task = run.task
    with run.placed():
        return clients.with_client(task.member_id, cast(uuid.UUID, task.server_id), call, line=run.line)


def target_of(task: Task) -> Target:
    return cast(Target, task.target)


def intent_of(item: TransferItem) -> Intent:
    return Intent.from_record(cast(dict[str, Any], item.intent))
