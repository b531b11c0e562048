"""How the web process hurries background work. Where it cannot, the reconciler finds the rows a second later."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from dbos import DBOSClient

from config import Settings
from jobs.engine import NAME, enqueueing, system_database_url
from services.transfer_turns import Due


def starter(settings: Settings) -> Callable[[list[Due]], None]:
    """A function that enqueues new items by their ids. Starting twice starts once."""

    @cache
    def client() -> DBOSClient:
        return DBOSClient(
            system_database_url=system_database_url(settings),
            application_name=NAME,
            lazy=True,
            retry_connection_errors=False,
        )

    def start(due: list[Due]) -> None:
        for item in due:
            client().enqueue(enqueueing(item, item.run), str(item.id))

    return start
