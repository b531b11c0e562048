"""R1: workers killed at random while documents are transferred both ways; afterwards each exists exactly once, intact.

Either the worker or its writer process is killed; the latter ends the worker too.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import requests
from sqlalchemy import select

from bench import moving
from bench.installation import Installation, install_bench
from bench.measure import Line, Options, process_tree
from models import Link, TransferItem, Version
from services.core import runtime
from services.core.unit_of_work import session
from services.execution import maintenance
from tests.support.stack import until

LATENCY = 0.05
MAX_START_SECONDS = 30.0
SOON = 0.15
"""A worker is killed within so many seconds of its first call, so that enough work is left for the others."""


def run(options: Options) -> list[Line]:
    number = options.documents or (1000 if options.full else 100)
    kills = 300 if options.full else 20
    chance = random.Random()
    with install_bench(options.folder, folders=1, documents=number) as system:
        gets = moving.start_gets(system, system.sources[0])
        saves = moving.start_saves(system, number, system.targets[0])
        system.latency(LATENCY)
        slowest, killed = 0.0, 0
        for _ in range(kills):
            worker = system.start_worker()
            waited = _until_first_call(system)
            slowest = max(slowest, waited)
            time.sleep(chance.uniform(0.0, SOON))
            if not set(moving.states([*gets, *saves])) - {"done"}:
                break
            os.kill(chance.choice(process_tree(worker.pid)), signal.SIGKILL)
            worker.wait()
            killed += 1
        system.stop_workers()
        system.start_worker()
        moving.wait(system, [*gets, *saves])
        system.latency(0.0)
        system.stop_workers()
        return [
            _gets(system, gets, number),
            _saves(system, saves, number),
            _orphans(system),
            Line(
                "R1",
                "kill -9 during transfers",
                str(killed),
                "",
                f">= {kills // 2}",
                killed >= kills // 2,
            ),
            Line(
                "R1",
                "longest time from start to first call",
                f"{slowest:.1f} s",
                "",
                f"<= {MAX_START_SECONDS:.0f} s",
                slowest <= MAX_START_SECONDS,
            ),
        ]


def _until_first_call(system: Installation) -> float:
    system.control("DELETE", "requests")
    began = time.monotonic()
    until(lambda: any("/work/" in call["path"] for call in system.control("GET", "requests")), "A call", 60)
    return time.monotonic() - began


def _gets(system: Installation, started: Sequence[uuid.UUID], number: int) -> Line:
    items = session().scalars(select(TransferItem).where(TransferItem.transfer_id.in_(started))).all()
    links = Counter(session().scalars(select(Link.number).where(Link.direction == "got")))
    damaged = 0
    for sha256 in session().scalars(select(Version.sha256)):
        with runtime.runtime().blobs.open(sha256) as blob:
            damaged += hashlib.sha256(b"".join(blob)).hexdigest() != sha256
    session().rollback()
    lost = number - len(links) + sum(item.version_id is None for item in items)
    doubled = sum(count - 1 for count in links.values())
    return Line(
        "R1",
        f"{number} documents each way, got",
        f"{lost} lost, {doubled} doubled, {damaged} corrupt",
        "",
        "0, 0, 0",
        not (lost or doubled or damaged),
    )


def _saves(system: Installation, started: Sequence[uuid.UUID], number: int) -> Line:
    meant = Counter(
        session().scalars(select(TransferItem.sha256).where(TransferItem.transfer_id.in_(started)))
    )
    session().rollback()
    there = Counter(
        str(row["checksum"]).removeprefix("SHA256:").lower()
        for row in _folder(system, system.targets[0], number)
    )
    lost, doubled = sum((meant - there).values()), sum((there - meant).values())
    return Line(
        "R1", "saved", f"{lost} lost, {doubled} doubled or corrupt", "", "0, 0", not (lost or doubled)
    )


def _folder(system: Installation, folder: str, number: int) -> list[dict[str, str]]:
    answer = requests.get(
        f"{system.api}/libraries/Active/folders/{folder}/documents",
        params={"limit": 3 * number},
        headers={"X-Auth-Token": system.people[0].token},
        timeout=60,
    )
    found = answer.json()["data"]
    rows: list[dict[str, str]] = found["results"] if isinstance(found, dict) else found
    return rows


def _orphans(system: Installation) -> Line:
    """Blobs and partial files without a row after a sweep without waiting times."""
    store = runtime.runtime().blobs
    store.sweep(timedelta(0))
    maintenance.sweep_store()
    named = set(session().scalars(select(Version.sha256)))
    session().rollback()
    incoming = list((system.folder / "data").rglob("incoming/*"))
    orphans = sum(blob.sha256 not in named for blob in store.blobs()) + len(incoming)
    return Line("R1", "orphans after the sweep", str(orphans), "", "0", orphans == 0)
