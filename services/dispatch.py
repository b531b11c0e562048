"""The port through which a service starts background work. jobs/ fills it; app.py binds it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import structlog

from services import transfer_turns
from services.house import house

log = structlog.get_logger()

MOST = 32


def start(item_ids: Iterable[uuid.UUID]) -> None:
    """Ask for these items to be worked on now. They are on record already, so a failure here only delays them.

    Of many only the first are handed over: a worker's next look finds the others, half a second later.
    """
    wanted = list(item_ids)[:MOST]
    try:
        due = [item for item in transfer_turns.due(MOST, wanted) if item.run == 0]
        house().start_work(due)
    except Exception:
        log.exception("dispatch.delayed", items=[str(item_id) for item_id in wanted])
