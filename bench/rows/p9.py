"""P9: sixteen transfers at once. How long the commit of a state takes beside them, and whether anybody is refused.

A second writer, such as the web process is one, commits to the same database while the worker moves large documents
and small ones; "database is locked" must reach nobody.
"""

from __future__ import annotations

import time
import uuid

from bench import moving
from bench.measure import Line, Options, percentile
from bench.stand import LATENCY, Stand, stand
from models import Matter, utcnow
from services.unit import unit

MOST_MS = 10.0
LARGE_MIB = 64
SECONDS = 12.0
EVERY = 0.02


def run(options: Options) -> list[Line]:
    with stand(options.folder, folders=2, documents=options.documents or 200, large=(LARGE_MIB,)) as place:
        idle = _commits(place, seconds=3.0)
        started = moving.ask_to_get(place, [place.large[LARGE_MIB]])
        started += moving.ask_to_get(place, place.sources[0]) + moving.ask_to_get(place, place.sources[1])
        place.latency(LATENCY)
        place.start_worker()
        time.sleep(2.0)
        busy = _commits(place, seconds=SECONDS, until_done=started)
        moving.wait(place, started)
        refused = place.said().count("database is locked")
    worst = percentile(busy, 0.99)
    return [
        Line(
            "P9",
            f"commit of a state beside 16 transfers, {len(busy)} commits",
            f"p99 {worst:.1f} ms, p50 {percentile(busy, 0.5):.1f} ms",
            f"at rest p99 {percentile(idle, 0.99):.1f} ms",
            f"p99 <= {MOST_MS:.0f} ms",
            worst <= MOST_MS,
        ),
        Line("P9", '"database is locked" in what the worker says', str(refused), "", "0", refused == 0),
    ]


def _commits(place: Stand, *, seconds: float, until_done: list[uuid.UUID] | None = None) -> list[float]:
    """Milliseconds of each commit, of a row that no worker touches."""
    spare = place.matter()
    found: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        with unit() as writing:
            writing.get_one(Matter, spare).changed_at = utcnow()
        found.append((time.perf_counter() - began) * 1000)
        if until_done and len(found) % 25 == 0 and set(moving.states(until_done)) == {"done"}:
            break
        time.sleep(EVERY)
    return found
