"""Runs many transfers through the real worker, for several rows."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select

from bench.installation import Installation
from bench.measure import process_tree, processor_seconds
from models import TransferItem, db
from services.core import runtime
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work
from services.matters import adding
from services.transfers import bulk_save, requests
from services.transfers.states import FINISHED

Thing = TypeVar("Thing")
AT_ONCE = 16
MOST_SECONDS = 240.0


@dataclass(frozen=True)
class TransferRun:
    """Seconds from the first call to the end of the last item, and the number of calls.

    `processor`: the seconds of a worker and its writer process, from their start on.
    """

    seconds: float
    calls: int
    documents: int
    processor: float = 0.0

    def floor(self, latency: float) -> float:
        """The time that latency alone takes: calls x latency / concurrency."""
        return self.calls * latency / AT_ONCE


def start_gets(
    system: Installation, sources: Sequence[str], listed: Mapping[uuid.UUID, Sequence[str]] | None = None
) -> list[uuid.UUID]:
    """Two members get half each, into a new matter. Returns the transfers. `listed`: signed rows by member."""
    matter = system.matter()
    return [
        requests.start_get(
            actor,
            requests.GetCommand(
                uuid.uuid4(),
                matter,
                system.server_id,
                requests.sources_of(wanted),
                called=tuple(listed[actor.id]) if listed else (),
            ),
        )
        for actor, wanted in _split(system, sources)
    ]


def start_saves(system: Installation, number: int, folder: str, size: int = 50_000) -> list[uuid.UUID]:
    """Two members save half each, as new documents in one folder. Returns the transfers."""
    matter = system.matter()
    added = [
        _added(matter, system.people[0].actor, f"Saved {index:05d}.docx", size) for index in range(number)
    ]
    return [
        bulk_save.start(
            actor,
            bulk_save.SaveManyCommand(
                uuid.uuid4(), matter, system.server_id, chosen, onto_twins=False, folder_id=folder
            ),
        )
        for actor, chosen in _split(system, added)
    ]


def _split(system: Installation, things: Sequence[Thing]) -> Iterator[tuple[Actor, tuple[Thing, ...]]]:
    """Half for each of two members, in transfers of the maximum size."""
    middle = len(things) // 2
    for person, share in zip(system.people, (things[:middle], things[middle:]), strict=True):
        for first in range(0, len(share), requests.MOST_DOCUMENTS):
            yield person.actor, tuple(share[first : first + requests.MOST_DOCUMENTS])


def _added(matter: uuid.UUID, actor: Actor, name: str, size: int) -> uuid.UUID:
    with runtime.runtime().blobs.writer() as writer:
        writer.write(os.urandom(size))
        blob = writer.publish()
    with unit_of_work() as writing:
        added = adding.add(writing, matter, actor.id, name, blob.sha256, blob.size, origin="upload")
        return added.document_id


def run_to_completion(system: Installation, started: Sequence[uuid.UUID]) -> TransferRun:
    """Start a worker and wait until every item of these transfers has ended."""
    system.control("DELETE", "requests")
    system.start_worker()
    try:
        wait(system, started)
        processor = sum(
            processor_seconds(pid) for worker in system.workers for pid in process_tree(worker.pid)
        )
    finally:
        system.stop_workers()
    calls = [call for call in system.control("GET", "requests") if call["path"].startswith("/work/")]
    ended = db.session.scalars(
        select(TransferItem.state_at).where(TransferItem.transfer_id.in_(started))
    ).all()
    db.session.rollback()
    return TransferRun(max(ended).timestamp() - calls[0]["at"], len(calls), len(ended), processor)


def wait(system: Installation, started: Sequence[uuid.UUID]) -> None:
    """Wait until every item of these transfers is done. Raises RuntimeError for any other final state."""
    deadline = time.monotonic() + MOST_SECONDS
    while counts := states(started):
        if not set(counts) - FINISHED:
            if set(counts) != {"done"}:
                raise RuntimeError(f"Not everything arrived: {counts}")
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"After {MOST_SECONDS:.0f} s: {counts}\n{system.worker_log()[-2000:]}")
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
