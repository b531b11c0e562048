"""What the steps of a save share: the client of the person who saves, and the intent as it stands on the row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast

from copying.values import Intent, Target
from imanage.client import Client
from models import TransferItem
from services.connections import clients
from services.execution.item_run import Running
from services.execution.tasks import Task

T = TypeVar("T")


def with_client(running: Running, call: Callable[[Client], T]) -> T:
    """Make the call while a place is held."""
    task = running.task
    with running.placed():
        return clients.with_client(task.member_id, cast(uuid.UUID, task.server_id), call, line=running.line)


def target_of(task: Task) -> Target:
    return cast(Target, task.target)


def intent_of(item: TransferItem) -> Intent:
    return Intent.from_record(cast(dict[str, Any], item.intent))
