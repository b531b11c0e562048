"""The port through which a service starts background work. jobs/ fills it; app.py binds it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import structlog

from services.house import house

log = structlog.get_logger()


def start(item_ids: Iterable[uuid.UUID]) -> None:
    """Ask for these items to be worked on now. They are on record already, so a failure here only delays them."""
    ids = [str(item_id) for item_id in item_ids]
    try:
        house().start_work(ids)
    except Exception:
        log.exception("dispatch.delayed", items=ids)
