"""What the page head says of a person's own transfers: how many are under way, and which have ended unseen."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update

from models import Participant, Transfer, TransferItem, utcnow
from services.actor import Actor
from services.transfer_states import DONE, FAILED
from services.transfer_views import headline
from services.unit import session, unit


@dataclass(frozen=True)
class News:
    """`ended` is the newest that he has not seen; `others` counts further ones."""

    running: int = 0
    paused: int = 0
    ended: uuid.UUID | None = None
    sentence: str = ""
    tone: str = ""
    others: int = 0

    @property
    def under_way(self) -> str:
        """As "2 running, 1 paused"; empty where nothing is."""
        counted = ((self.running, "running"), (self.paused, "paused"))
        return ", ".join(f"{count} {what}" for count, what in counted if count)


def of(actor: Actor) -> News:
    """Of the matters that they take part in. One query, and one more while there is an end that was not seen."""
    if actor.is_guest:
        return News()
    rows = (
        session()
        .execute(
            select(Transfer.id, Transfer.kind, Transfer.finished_at, Transfer.paused_at)
            .join(Participant, Participant.matter_id == Transfer.matter_id)
            .where(
                Transfer.member_id == actor.id,
                Participant.member_id == actor.id,
                or_(Transfer.finished_at.is_(None), Transfer.seen_at.is_(None)),
            )
            .order_by(Transfer.finished_at.desc())
        )
        .all()
    )
    ended = [row for row in rows if row.finished_at is not None]
    paused = sum(row.finished_at is None and row.paused_at is not None for row in rows)
    running = len(rows) - len(ended) - paused
    if not ended:
        return News(running, paused)
    counts = _counts(ended[0].id)
    over_well = counts.get(DONE, 0) == sum(counts.values())
    return News(
        running=running,
        paused=paused,
        ended=ended[0].id,
        sentence=headline(ended[0].kind, counts),
        tone="success" if over_well else "danger" if counts.get(FAILED) else "neutral",
        others=len(ended) - 1,
    )


def see(actor: Actor, transfer_id: uuid.UUID | None = None) -> None:
    """He has looked at the end of this transfer of his, or of all of them. Without news nothing is written."""
    unseen = [
        Transfer.member_id == actor.id,
        Transfer.finished_at.is_not(None),
        Transfer.seen_at.is_(None),
        *([Transfer.id == transfer_id] if transfer_id else []),
    ]
    if session().scalar(select(func.count()).where(*unseen)):
        with unit() as writing:
            writing.execute(
                update(Transfer)
                .where(*unseen)
                .values(seen_at=utcnow())
                .execution_options(synchronize_session=False)
            )


def _counts(transfer_id: uuid.UUID) -> dict[str, int]:
    rows = session().execute(
        select(TransferItem.state, func.count())
        .where(TransferItem.transfer_id == transfer_id)
        .group_by(TransferItem.state)
    )
    return {row.state: row[1] for row in rows}
