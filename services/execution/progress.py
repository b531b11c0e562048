"""Progress for the transfer pages: one thread of each worker writes it for all runs in one commit."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select

from copying.errors import DifferentContentError
from copying.values import Progress
from models import TransferItem, db, utcnow
from services.core.unit_of_work import unit_of_work
from services.core.writer_process import run_in_writer
from services.execution import item_run
from services.execution.item_run import ItemRun
from services.transfers.states import LIVE, ItemState

LEAST_SECONDS = 0.5
"""A run is shown as moving only when it takes longer than this."""

_ITEMS = db.metadata.tables[TransferItem.__tablename__]
_NOW = bindparam("now", type_=_ITEMS.c.state_at.type)
_DONE = bindparam("moved", type_=_ITEMS.c.bytes_done.type)
_TOTAL = bindparam("total", type_=_ITEMS.c.size.type)
# Locked rows are being ended and need no progress any more, so they are not waited for.
_UNLOCKED = (
    select(TransferItem.id)
    .where(TransferItem.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(skip_locked=True)
)
# Bytes that moved count as progress, unless it is the same wrong bytes again.
_ADVANCED = and_(_ITEMS.c.bytes_done < _DONE, _ITEMS.c.error_code != DifferentContentError.code)
_UPDATE = (
    _ITEMS.update()
    .where(
        _ITEMS.c.id == bindparam("of_item"),
        _ITEMS.c.fencing_token == bindparam("of_token"),
        # Not IN: SQLAlchemy widens that for one row only, and here are as many as move.
        or_(*(_ITEMS.c.state == state for state in sorted(LIVE))),
    )
    .values(
        state=case((_ITEMS.c.state == ItemState.WAITING, ItemState.RUNNING), else_=_ITEMS.c.state),
        state_at=case((_ITEMS.c.state == ItemState.WAITING, _NOW), else_=_ITEMS.c.state_at),
        attempt=case((_ADVANCED, 0), else_=_ITEMS.c.attempt),
        bytes_done=func.coalesce(_DONE, _ITEMS.c.bytes_done),
        progress_at=case((_DONE.is_not(None), _NOW), else_=_ITEMS.c.progress_at),
        size=func.coalesce(_TOTAL, _ITEMS.c.size),
    )
)


class ProgressFlusher:
    """Remembers what it has written, so that nothing is written twice."""

    def __init__(self) -> None:
        self._shown: dict[ItemRun, Progress | None] = {}

    def flush(self) -> None:
        """Write which items move and how far they are. One commit, however many there are."""
        since = time.monotonic() - LEAST_SECONDS
        moving = [
            (run, run.progress)
            for run in item_run.active_runs()
            if run.moves_since is not None and run.moves_since < since
        ]
        before, self._shown = self._shown, dict(moving)
        news = [each for each in moving if each[0] not in before or before[each[0]] != each[1]]
        if news:
            run_in_writer(_write, [_row(run, progress) for run, progress in news])


def _write(rows: list[dict[str, Any]]) -> None:
    with unit_of_work(relaxed_durability=True) as current:
        writing = current.connection()
        free = set(writing.scalars(_UNLOCKED, {"ids": [row["of_item"] for row in rows]}))
        if still := [row for row in rows if row["of_item"] in free]:
            writing.execute(_UPDATE, still)


def _row(run: ItemRun, progress: Progress | None) -> dict[str, Any]:
    return {
        "of_item": run.item_id,
        "of_token": run.fencing_token,
        "now": utcnow(),
        "moved": progress.done if progress else None,
        "total": progress.total if progress else None,
    }
