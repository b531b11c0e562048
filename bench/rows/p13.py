"""P13: many small documents at 50 ms per call, sixteen concurrent, whose list has already said what their profile says.

The floor is the time that latency alone takes with one call per document. Beside it: the same worker without what was
listed, so with two calls. The processor time is that of the worker and its writer process, less that of both at rest.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from bench import moving
from bench.installation import LATENCY, Installation, Person, install_bench
from bench.measure import Line, Options, interleaved, median, process_tree, processor_seconds, spread
from imanage import documents
from services.connections import tokens
from services.transfers import signed_rows

MOST_OVER_FLOOR = 1.25
MOST_PROCESSOR_MS = 3.0
PAGE = 500


def run(options: Options) -> list[Line]:
    number, times = options.documents or 1000, options.times(5)
    with install_bench(options.folder, folders=2 * times, documents=number) as system:
        began = _at_rest(system)
        folders = iter(range(2 * times))
        listed: list[moving.TransferRun] = []
        unlisted: list[moving.TransferRun] = []
        runs = {
            "listed": lambda: _run(system, next(folders), listed, _listed),
            "unlisted": lambda: _run(system, next(folders), unlisted, lambda *_: None),
        }
        found = interleaved(runs, times)
    floor = number * LATENCY / moving.AT_ONCE
    calls = median([each.calls / each.documents for each in listed])
    over = median(found["listed"]) / floor
    spent = [_spent(each, began) for each in listed]
    return [
        Line(
            "P13",
            f"get {number} of 50 kB at 50 ms, 16 at once, listed before",
            spread(found["listed"]),
            f"floor {floor:.2f} s at r = 1: {over:.2f} x, r = {calls:.2f}; not listed {spread(found['unlisted'])}",
            f"<= {MOST_OVER_FLOOR:.2f} x, r <= 1",
            over <= MOST_OVER_FLOOR and calls <= 1.02,
        ),
        Line(
            "P13",
            "processor time per document",
            spread(spent, "ms"),
            f"not listed {spread([_spent(each, began) for each in unlisted], 'ms')}; at rest {began:.2f} s",
            f"<= {MOST_PROCESSOR_MS:.0f} ms",
            median(spent) <= MOST_PROCESSOR_MS,
        ),
    ]


def _spent(run: moving.TransferRun, began: float) -> float:
    return (run.processor - began) / run.documents * 1000


def _at_rest(system: Installation) -> float:
    """The processor time that a worker takes until it rests, in seconds."""
    worker = system.start_worker()
    try:
        system.until_workers_rest()
        return sum(map(processor_seconds, process_tree(worker.pid)))
    finally:
        system.stop_workers()


def _run(
    system: Installation,
    index: int,
    runs: list[moving.TransferRun],
    rows: Callable[[Installation, int], dict[uuid.UUID, Sequence[str]] | None],
) -> float:
    started = moving.start_gets(system, system.sources[index], rows(system, index))
    system.latency(LATENCY)
    try:
        runs.append(moving.run_to_completion(system, started))
    finally:
        system.latency(0.0)
    return runs[-1].seconds


def _listed(system: Installation, index: int) -> dict[uuid.UUID, Sequence[str]]:
    """The rows that the picker would send for each member, signed."""
    return {
        person.actor.id: _signed(system, person, system.source_folders[index]) for person in system.people
    }


def _signed(system: Installation, person: Person, folder: str) -> list[str]:
    client = tokens.with_client(person.actor.id, system.server_id, lambda client: client)
    sign = signed_rows.signer(system.server_id, person.actor.id)
    rows: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = documents.folder_documents(client, folder, offset, PAGE)
        rows += map(sign, page.items)
        offset = page.next_offset
    return rows
