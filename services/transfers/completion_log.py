"""One line in the log at the end of each transfer: numbers and ids, no name."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import func, select

from models import Transfer, TransferItem
from services.core.unit_of_work import on_commit, session

log = structlog.get_logger()


def log_when_committed(over: Sequence[uuid.UUID]) -> None:
    """In the open unit that ended them: said once it is committed."""
    if not over:
        return
    counts: defaultdict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    counted = (
        select(TransferItem.transfer_id, TransferItem.state, func.count())
        .where(TransferItem.transfer_id.in_(over))
        .group_by(TransferItem.transfer_id, TransferItem.state)
    )
    for transfer_id, state, count in session().connection().execute(counted):
        counts[transfer_id][state] = count
    asked = select(
        Transfer.id,
        Transfer.kind,
        Transfer.matter_id,
        Transfer.server_id,
        Transfer.created_at,
        Transfer.finished_at,
    ).where(Transfer.id.in_(over))
    for row in session().connection().execute(asked):
        on_commit(
            partial(
                log.info,
                "transfer.ended",
                transfer=str(row.id),
                kind=row.kind,
                matter=str(row.matter_id),
                server=str(row.server_id or ""),
                items=counts[row.id],
                seconds=round((row.finished_at - row.created_at).total_seconds(), 1),
            )
        )
