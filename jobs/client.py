"""How the web process hurries background work. Where it cannot, the reconciler finds the rows a second later."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from dbos import DBOSClient

from config import Settings
from jobs.engine import APPLICATION_VERSION, CARRY, NAME, QUEUE, system_database_url, workflow_id


def starter(settings: Settings) -> Callable[[list[str]], None]:
    """A function that enqueues new items by their ids. Starting twice starts once."""

    @cache
    def client() -> DBOSClient:
        return DBOSClient(
            system_database_url=system_database_url(settings),
            application_name=NAME,
            lazy=True,
            retry_connection_errors=False,
        )

    def start(item_ids: list[str]) -> None:
        for item_id in item_ids:
            client().enqueue(
                {
                    "queue_name": QUEUE,
                    "workflow_name": CARRY,
                    "workflow_id": workflow_id(item_id, 0),
                    "app_version": APPLICATION_VERSION,
                },
                item_id,
            )

    return start
