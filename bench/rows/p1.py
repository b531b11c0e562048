"""P1 and P2: download and upload of one large document, with and without TLS, compared with curl.

The server is nginx, because the practice iManage would be the bottleneck. Ours hashes, flushes and publishes; curl
does none of these. Their cost without our code is shown too: for a get the time of dd with fsync, for a save the time
of curl while openssl hashes the same bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from bench.measure import Line, MissingToolError, Options, command, interleaved, ratio_line, reported_seconds
from bench.wire import Wire, nginx
from storage import open_store

MOST = {("get", "TLS"): 1.35, ("get", "plain"): 1.30, ("save", "TLS"): 1.35, ("save", "plain"): 1.35}
ALONE = {"get": "the disk alone", "save": "curl with openssl dgst"}
TIMES = {"get": 5, "save": 11}
"""Repetitions. An upload of one second depends on CPU scheduling; a median of five still varies."""
BLOCK = 1 << 20
REST = 0.3
"""Seconds. nginx deletes an uploaded gigabyte after its response, which would slow the next run."""


def run(options: Options) -> list[Line]:
    for tool in ("curl", "openssl"):
        if shutil.which(tool) is None:
            raise MissingToolError(f"{tool} is missing. Install it as root: apt-get install {tool}")
    folder = Path(tempfile.mkdtemp(prefix="wire-", dir=options.folder))
    try:
        content = folder / "content"
        sha256 = _make(content, options.mib)
        store = f"file://{folder}/store"
        _keep(store, content)
        with nginx(folder, content, sha256) as wire:
            lines = []
            for row, what in (("P1", "get"), ("P2", "save")):
                for line, origin in (("TLS", wire.tls), ("plain", wire.plain)):
                    runs = _runs(folder, wire, what, origin, store, content, sha256)
                    found = interleaved(runs, options.times(TIMES[what]), REST)
                    title = f"{what} {options.mib} MiB, {line}"
                    alone = (ALONE[what], found["alone"])
                    lines.append(
                        ratio_line(row, title, found["ours"], found["curl"], "curl", MOST[what, line], alone)
                    )
            return lines
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(
    folder: Path, wire: Wire, what: str, origin: str, store: str, content: Path, sha256: str
) -> dict[str, Callable[[], float]]:
    taken, got = folder / "got-store", folder / "got"

    def ours() -> float:
        location = store if what == "save" else f"file://{taken}"
        arguments = [sys.executable, "-m", "bench.one", what, "--origin", origin, "--store", location]
        seconds = reported_seconds([*arguments, "--certificate", str(wire.certificate), "--sha256", sha256])
        shutil.rmtree(taken, ignore_errors=True)
        return seconds

    def curl(arguments: list[str]) -> float:
        seconds = command(["curl", "-sS", "--fail", "--cacert", str(wire.certificate), *arguments])
        got.unlink(missing_ok=True)
        return seconds

    def disk() -> float:
        seconds = command(["dd", f"if={content}", f"of={got}", "bs=1M", "conv=fsync"])
        got.unlink()
        return seconds

    def curl_and_openssl() -> float:
        began = time.perf_counter()
        hashing = ["openssl", "dgst", "-sha256", str(content)]
        with subprocess.Popen(hashing, stdout=subprocess.DEVNULL) as openssl:
            curl(form)
        if openssl.returncode:
            raise RuntimeError(f"openssl ended with {openssl.returncode}")
        return time.perf_counter() - began

    download = ["-o", str(got), wire.download(origin)]
    # curl waits for 100 Continue, so the multipart prefix is never sent with the request head.
    form = ["-o", str(got), "-F", "profile={}", "-F", f"file=@{content}", wire.sink(origin)]
    if what == "save":
        return {"ours": ours, "curl": partial(curl, form), "alone": curl_and_openssl}
    return {"ours": ours, "curl": partial(curl, download), "alone": disk}


def _make(path: Path, mib: int) -> str:
    """Write random bytes and return their SHA-256. The file is then in the page cache."""
    block = Random(1).randbytes(BLOCK)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(mib):
            piece = number.to_bytes(8, "big") + block[8:]
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _keep(store: str, content: Path) -> None:
    with open_store(store).writer() as writer, content.open("rb") as file:
        while piece := file.read(BLOCK):
            writer.write(piece)
        writer.publish()
