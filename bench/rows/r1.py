"""R1, short: workers killed at random moments while documents move both ways; afterwards each is there once, whole.

Killed is the worker or the process that writes for it, which takes the worker with it.
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
from bench.measure import Line, Options, family
from bench.stand import Stand, stand
from models import Link, TransferItem, Version
from services.core import runtime
from services.core.unit_of_work import session
from services.execution import maintenance
from tests.support.stack import until

LATENCY = 0.05
GOES_ON_SECONDS = 30.0
SOON = 0.15
"""Seconds after its first call within which a worker is killed. Later, too little would be left for the others."""


def run(options: Options) -> list[Line]:
    number = options.documents or (1000 if options.full else 100)
    kills = 300 if options.full else 20
    chance = random.Random()
    with stand(options.folder, folders=1, documents=number) as place:
        gets = moving.ask_to_get(place, place.sources[0])
        saves = moving.ask_to_save(place, number, place.targets[0])
        place.latency(LATENCY)
        slowest, killed = 0.0, 0
        for _ in range(kills):
            worker = place.start_worker()
            waited = _until_it_moves(place)
            slowest = max(slowest, waited)
            time.sleep(chance.uniform(0.0, SOON))
            if not set(moving.states([*gets, *saves])) - {"done"}:
                break
            os.kill(chance.choice(family(worker.pid)), signal.SIGKILL)
            worker.wait()
            killed += 1
        place.stop_workers()
        place.start_worker()
        moving.wait(place, [*gets, *saves])
        place.latency(0.0)
        place.stop_workers()
        return [
            _gets(place, gets, number),
            _saves(place, saves, number),
            _orphans(place),
            Line(
                "R1",
                "kill -9 while documents moved",
                str(killed),
                "",
                f">= {kills // 2}",
                killed >= kills // 2,
            ),
            Line(
                "R1",
                "longest from a start to the first call",
                f"{slowest:.1f} s",
                "",
                f"<= {GOES_ON_SECONDS:.0f} s",
                slowest <= GOES_ON_SECONDS,
            ),
        ]


def _until_it_moves(place: Stand) -> float:
    place.control("DELETE", "requests")
    began = time.monotonic()
    until(lambda: any("/work/" in call["path"] for call in place.control("GET", "requests")), "A call", 60)
    return time.monotonic() - began


def _gets(place: Stand, started: Sequence[uuid.UUID], number: int) -> Line:
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


def _saves(place: Stand, started: Sequence[uuid.UUID], number: int) -> Line:
    meant = Counter(
        session().scalars(select(TransferItem.sha256).where(TransferItem.transfer_id.in_(started)))
    )
    session().rollback()
    there = Counter(
        str(row["checksum"]).removeprefix("SHA256:").lower()
        for row in _folder(place, place.targets[0], number)
    )
    lost, doubled = sum((meant - there).values()), sum((there - meant).values())
    return Line(
        "R1", "saved", f"{lost} lost, {doubled} doubled or corrupt", "", "0, 0", not (lost or doubled)
    )


def _folder(place: Stand, folder: str, number: int) -> list[dict[str, str]]:
    answer = requests.get(
        f"{place.api}/libraries/Active/folders/{folder}/documents",
        params={"limit": 3 * number},
        headers={"X-Auth-Token": place.people[0].token},
        timeout=60,
    )
    found = answer.json()["data"]
    rows: list[dict[str, str]] = found["results"] if isinstance(found, dict) else found
    return rows


def _orphans(place: Stand) -> Line:
    """What the sweep would leave when its waiting times are over."""
    store = runtime.runtime().blobs
    store.sweep(timedelta(0))
    maintenance.sweep_store()
    named = set(session().scalars(select(Version.sha256)))
    session().rollback()
    incoming = list((place.folder / "data").rglob("incoming/*"))
    orphans = sum(blob.sha256 not in named for blob in store.blobs()) + len(incoming)
    return Line("R1", "orphans after the sweep", str(orphans), "", "0", orphans == 0)
