"""P9: commit latency during sixteen concurrent transfers, and "database is locked" errors.

A second writer, like the web process, commits to the same database while the worker transfers sixteen large documents
at a gigabit, and then small ones as fast as it can. Commits are durable. The commit latency of an otherwise unused
SQLite database at the same time is shown too.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field

from bench import moving
from bench.installation import LATENCY, Installation, install_bench
from bench.measure import Line, Options, is_the_machines, percentile
from models import Matter, utcnow
from services.core.unit_of_work import unit_of_work

MOST_MS = 10.0
LARGE_MIB = tuple(range(96, 112))
GIGABIT = 112_000_000
SECONDS = 15.0
EVERY = 0.02


@dataclass
class Found:
    """Milliseconds of each commit, and of commits in between to a database without other writers."""

    commits: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def run(options: Options) -> list[Line]:
    with install_bench(
        options.folder, folders=2, documents=options.documents or 1000, large=LARGE_MIB
    ) as system:
        idle = percentile(_measured(system, seconds=3.0).commits, 0.99)
        system.latency(LATENCY)
        system.start_worker()
        each = {
            "kind": "trickle",
            "path": "/download",
            "times": None,
            "at": 0,
            "rate": GIGABIT // len(LARGE_MIB),
        }
        system.control("POST", "faults", each)
        large = _measure_during(system, moving.start_gets(system, list(system.large.values())))
        system.control("DELETE", "faults")
        small = _measure_during(
            system,
            moving.start_gets(system, system.sources[0]) + moving.start_gets(system, system.sources[1]),
        )
        refused = system.worker_log().count("database is locked")
    return [
        _line(f"{len(LARGE_MIB)} large transfers at a gigabit", large, idle),
        _line("16 transfers of small documents, as fast as they go", small, idle),
        Line("P9", '"database is locked" in the worker log', str(refused), "", "0", refused == 0),
    ]


def _measure_during(system: Installation, started: list[uuid.UUID]) -> Found:
    time.sleep(1.0)
    found = _measured(system, seconds=SECONDS, until_done=started)
    moving.wait(system, started)
    return found


def _line(load: str, found: Found, idle: float) -> Line:
    worst, alone = percentile(found.commits, 0.99), percentile(found.bare, 0.99)
    return Line(
        "P9",
        f"commits during {load}, {len(found.commits)} commits",
        f"p99 {worst:.1f} ms, p50 {percentile(found.commits, 0.5):.1f} ms",
        f"at rest p99 {idle:.1f} ms; a bare database meanwhile p99 {alone:.1f} ms",
        f"p99 <= {MOST_MS:.0f} ms",
        worst <= MOST_MS,
        is_the_machines(worst, alone, MOST_MS),
    )


def _measured(system: Installation, *, seconds: float, until_done: list[uuid.UUID] | None = None) -> Found:
    """Measure commits of a row that the worker does not use."""
    spare = system.matter()
    found = Found()
    end = time.monotonic() + seconds
    with closing(_bare_database(system)) as bare:
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


def _bare_database(system: Installation) -> sqlite3.Connection:
    bare = sqlite3.connect(system.folder / "bare.db", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE IF NOT EXISTS one (at)",
    ):
        bare.execute(statement)
    bare.execute("INSERT INTO one VALUES (0)")
    return bare
