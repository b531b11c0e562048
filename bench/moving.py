"""Many documents through the real worker, and the same copies without rows: what rows P4, P5, P9 and R1 share."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select

from bench.stand import Stand
from models import TransferItem, db
from services.core import runtime
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work
from services.matters import landing
from services.transfers import bulk_save, requests
from services.transfers.states import FINISHED

Thing = TypeVar("Thing")
AT_ONCE = 16
MOST_SECONDS = 240.0


@dataclass(frozen=True)
class Moved:
    """How long it took from the first call to the last item's end, and how many calls were made."""

    seconds: float
    calls: int
    documents: int

    def floor(self, latency: float) -> float:
        """What the latency alone would take: N·r·L/C."""
        return self.calls * latency / AT_ONCE


def ask_to_get(stand: Stand, sources: Sequence[str]) -> list[uuid.UUID]:
    """Two people get half each, into a matter that holds nothing yet. Returns the transfers."""
    matter = stand.matter()
    return [
        requests.start_get(
            actor, requests.GetCommand(uuid.uuid4(), matter, stand.server_id, requests.sources_of(wanted))
        )
        for actor, wanted in _shared_out(stand, sources)
    ]


def ask_to_save(stand: Stand, number: int, folder: str, size: int = 50_000) -> list[uuid.UUID]:
    """Two people save half each, as new documents of one folder. Returns the transfers."""
    matter = stand.matter()
    added = [
        _added(matter, stand.people[0].actor, f"Saved {index:05d}.docx", size) for index in range(number)
    ]
    return [
        bulk_save.start(
            actor,
            bulk_save.SaveManyCommand(
                uuid.uuid4(), matter, stand.server_id, chosen, onto_twins=False, folder_id=folder
            ),
        )
        for actor, chosen in _shared_out(stand, added)
    ]


def _shared_out(stand: Stand, things: Sequence[Thing]) -> Iterator[tuple[Actor, tuple[Thing, ...]]]:
    """Half to each of two people, as many at once as one transfer takes."""
    middle = len(things) // 2
    for person, share in zip(stand.people, (things[:middle], things[middle:]), strict=True):
        for first in range(0, len(share), requests.MOST_AT_ONCE):
            yield person.actor, tuple(share[first : first + requests.MOST_AT_ONCE])


def _added(matter: uuid.UUID, actor: Actor, name: str, size: int) -> uuid.UUID:
    with runtime.runtime().blobs.writer() as writer:
        writer.write(os.urandom(size))
        blob = writer.publish()
    with unit_of_work() as writing:
        landed = landing.land(writing, matter, actor.id, name, blob.sha256, blob.size, origin="upload")
        return landed.document_id


def carried_out(stand: Stand, started: Sequence[uuid.UUID]) -> Moved:
    """Start a worker and wait until it has ended every item of these transfers."""
    stand.control("DELETE", "requests")
    stand.start_worker()
    try:
        wait(stand, started)
    finally:
        stand.stop_workers()
    calls = [call for call in stand.control("GET", "requests") if call["path"].startswith("/work/")]
    ended = db.session.scalars(
        select(TransferItem.state_at).where(TransferItem.transfer_id.in_(started))
    ).all()
    db.session.rollback()
    return Moved(max(ended).timestamp() - calls[0]["at"], len(calls), len(ended))


def wait(stand: Stand, started: Sequence[uuid.UUID]) -> None:
    """Until every item of these transfers is done; anything else than done is an error."""
    deadline = time.monotonic() + MOST_SECONDS
    while counts := states(started):
        if not set(counts) - FINISHED:
            if set(counts) != {"done"}:
                raise RuntimeError(f"Not everything arrived: {counts}")
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"After {MOST_SECONDS:.0f} s: {counts}\n{stand.said()[-2000:]}")
        time.sleep(0.1)


def states(started: Sequence[uuid.UUID]) -> dict[str, int]:
    session().rollback()
    rows = session().execute(
        select(TransferItem.state, func.count())
        .where(TransferItem.transfer_id.in_(started))
        .group_by(TransferItem.state)
    )
    found = {str(state): int(count) for state, count in rows}
    session().rollback()
    return found
