"""P14: the throughput of four workers on PostgreSQL, compared with one.

A worker carries out 512 items at a time. Here it is eight, because two cores cannot show four times 512: neither the
cores, the wire nor iManage is the limit then, but the latency of each call.
"""

from __future__ import annotations

import sys

from sqlalchemy import func, select

from bench import moving
from bench.databases import postgresql
from bench.installation import Installation, install_bench
from bench.measure import Line, Options, interleaved, median, spread
from models import Server, TransferItem
from services.core.unit_of_work import session, unit_of_work

LEAST = 3.2
WORKERS = 4
AT_ONCE = 32
THREADS = AT_ONCE // WORKERS
LATENCY = 1.0


def run(options: Options) -> list[Line]:
    number, times = options.documents or 256, options.times(3)
    with (
        postgresql(options.folder) as url,
        install_bench(options.folder, folders=2 * times, documents=number, database_url=url) as system,
    ):
        with unit_of_work() as writing:
            writing.get_one(Server, system.server_id).at_once = AT_ONCE
        system.latency(LATENCY)
        folders = iter(system.sources)
        runs = {
            "one": lambda: _seconds(system, 1, next(folders)),
            "four": lambda: _seconds(system, WORKERS, next(folders)),
        }
        found = interleaved(runs, times)
    ratio = median(found["one"]) / median(found["four"])
    return [
        Line(
            "P14",
            f"get {number} at {LATENCY:.0f} s a call with {WORKERS} workers of {THREADS} threads, PostgreSQL",
            spread(found["four"]),
            f"one worker {spread(found['one'])}: {ratio:.2f} x faster",
            f">= {LEAST} x",
            ratio >= LEAST,
        )
    ]


def _seconds(system: Installation, workers: int, sources: list[str]) -> float:
    """From the first call to the end of the last document. The workers are at rest before."""
    for _ in range(workers):
        system.start_worker(sys.executable, "-m", "bench.few_threads", str(THREADS))
    try:
        system.until_workers_rest()
        system.control("DELETE", "requests")
        started = moving.start_gets(system, sources)
        moving.wait(system, started)
        first: float = min(call["at"] for call in system.control("GET", "requests"))
    finally:
        system.stop_workers()
    last = select(func.max(TransferItem.state_at)).where(TransferItem.transfer_id.in_(started))
    ended = session().scalar(last)
    session().rollback()
    assert ended is not None
    return ended.timestamp() - first
