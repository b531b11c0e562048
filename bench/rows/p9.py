"""P9: sixteen transfers at once. How long the commit of a state takes beside them, and whether anybody is refused.

A second writer, such as the web process is one, commits to the same database while the worker moves sixteen large
documents at what a gigabit brings, and then small ones as fast as it can; "database is locked" must reach nobody.
A commit is on the disk before it returns. What one takes in the same moments in a bare database is said beside it.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field

from bench import moving
from bench.measure import Line, Options, is_the_machines, percentile
from bench.stand import LATENCY, Stand, stand
from models import Matter, utcnow
from services.core.unit_of_work import unit_of_work

MOST_MS = 10.0
LARGE_MIB = tuple(range(96, 112))
GIGABIT = 112_000_000
SECONDS = 15.0
EVERY = 0.02


@dataclass
class Found:
    """Milliseconds of each commit, and between two of them of one in a database that nobody else writes to."""

    commits: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def run(options: Options) -> list[Line]:
    with stand(options.folder, folders=2, documents=options.documents or 1000, large=LARGE_MIB) as place:
        idle = percentile(_measured(place, seconds=3.0).commits, 0.99)
        place.latency(LATENCY)
        place.start_worker()
        each = {
            "kind": "trickle",
            "path": "/download",
            "times": None,
            "at": 0,
            "rate": GIGABIT // len(LARGE_MIB),
        }
        place.control("POST", "faults", each)
        large = _beside(place, moving.ask_to_get(place, list(place.large.values())))
        place.control("DELETE", "faults")
        small = _beside(
            place, moving.ask_to_get(place, place.sources[0]) + moving.ask_to_get(place, place.sources[1])
        )
        refused = place.said().count("database is locked")
    return [
        _line(f"{len(LARGE_MIB)} large transfers at a gigabit", large, idle),
        _line("16 transfers of small documents, as fast as they go", small, idle),
        Line("P9", '"database is locked" in what the worker says', str(refused), "", "0", refused == 0),
    ]


def _beside(place: Stand, started: list[uuid.UUID]) -> Found:
    time.sleep(1.0)
    found = _measured(place, seconds=SECONDS, until_done=started)
    moving.wait(place, started)
    return found


def _line(beside: str, found: Found, idle: float) -> Line:
    worst, alone = percentile(found.commits, 0.99), percentile(found.bare, 0.99)
    return Line(
        "P9",
        f"commit of a state beside {beside}, {len(found.commits)} commits",
        f"p99 {worst:.1f} ms, p50 {percentile(found.commits, 0.5):.1f} ms",
        f"at rest p99 {idle:.1f} ms; a bare database meanwhile p99 {alone:.1f} ms",
        f"p99 <= {MOST_MS:.0f} ms",
        worst <= MOST_MS,
        is_the_machines(worst, alone, MOST_MS),
    )


def _measured(place: Stand, *, seconds: float, until_done: list[uuid.UUID] | None = None) -> Found:
    """Commits of a row that no worker touches."""
    spare = place.matter()
    found = Found()
    end = time.monotonic() + seconds
    with closing(_bare_database(place)) as bare:
        while time.monotonic() < end:
            began = time.perf_counter()
            with unit_of_work() as writing:
                writing.get_one(Matter, spare).changed_at = utcnow()
            found.commits.append((time.perf_counter() - began) * 1000)
            time.sleep(EVERY)
            began = time.perf_counter()
            bare.execute("UPDATE one SET at = ?", (began,))
            found.bare.append((time.perf_counter() - began) * 1000)
            if until_done and len(found.commits) % 25 == 0 and set(moving.states(until_done)) == {"done"}:
                break
            time.sleep(EVERY)
    return found


def _bare_database(place: Stand) -> sqlite3.Connection:
    bare = sqlite3.connect(place.folder / "bare.db", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE IF NOT EXISTS one (at)",
    ):
        bare.execute(statement)
    bare.execute("INSERT INTO one VALUES (0)")
    return bare
