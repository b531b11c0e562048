"""The page header's notices about a member's transfers: how many are in progress, and which finished unseen."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from sqlalchemy import func, or_, select, update

from models import Participant, Transfer, utcnow
from services.access.participation import takes_part
from services.access.server_access import known_to
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work
from services.transfers import tallies as transfer_tallies
from services.transfers.outcomes import Outcome, Verdict, verdict


@dataclass(frozen=True)
class News:
    """Transfers in progress by activity; the newest that finished unseen, and how many others did.

    `waiting` resume automatically; in `asking` a document waits for this person.
    """

    running: int = 0
    waiting: int = 0
    paused: int = 0
    asking: int = 0
    ended: uuid.UUID | None = None
    sentence: str = ""
    verdict: Verdict | None = None
    others: int = 0


def of(actor: Actor) -> News:
    """For the actor's matters. One query; two more while a transfer is in progress or finished unseen."""
    if actor.is_guest:
        return News()
    query = (
        select(Transfer.id, Transfer.server_id, Transfer.finished_at, Transfer.paused_at)
        .join(Participant, Participant.matter_id == Transfer.matter_id)
        .where(
            Transfer.member_id == actor.id,
            takes_part(actor),
            or_(Transfer.finished_at.is_(None), Transfer.seen_at.is_(None)),
        )
        .order_by(Transfer.finished_at.desc())
    )
    rows = session().execute(query).all()
    if not rows:
        return News()
    ended = [row for row in rows if row.finished_at is not None]
    live = [row for row in rows if row.finished_at is None]
    tallies = transfer_tallies.of_transfers([row.id for row in (*live, *ended[:1])])
    running = waiting = paused = asking = 0
    for row in live:
        outcomes = tallies[row.id].outcomes if row.id in tallies else {}
        asks = bool(outcomes.get(Outcome.DECISION) or outcomes.get(Outcome.SIGN_IN))
        asking += asks
        if row.paused_at is not None:
            paused += 1
        elif outcomes.get(Outcome.MOVING):
            running += 1
        elif outcomes.get(Outcome.WAITING) or not asks:
            waiting += 1
    news = News(running, waiting, paused, asking)
    if not ended or ended[0].id not in tallies:
        return news
    newest, known = ended[0], known_to(actor)
    tally = tallies[newest.id]
    return replace(
        news,
        ended=newest.id,
        sentence=tally.summary(known.label(newest.server_id), known.may_know(newest.server_id)),
        verdict=verdict(tally.outcomes),
        others=len(ended) - 1,
    )


def see(actor: Actor, transfer_id: uuid.UUID | None = None) -> None:
    """Mark one of the actor's finished transfers, or all, as seen. Writes nothing if there are none."""
    unseen = [
        Transfer.member_id == actor.id,
        Transfer.finished_at.is_not(None),
        Transfer.seen_at.is_(None),
        *([Transfer.id == transfer_id] if transfer_id else []),
    ]
    if session().scalar(select(func.count()).where(*unseen)):
        with unit_of_work() as writing:
            writing.execute(
                update(Transfer)
                .where(*unseen)
                .values(seen_at=utcnow())
                .execution_options(synchronize_session=False)
            )
