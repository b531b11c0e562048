"""P15: page times while 64 stalled peers of one kind are connected, compared with none.

The last kind stalls at iManage: pages that call a practice iManage which sends its headers at one byte a second. As
many of them wait as the bulkhead allows; the others get a page that iManage is slow.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import cycle
from pathlib import Path

from bench.measure import Line, Options, percentile
from services.core.bulkhead import MAX_SLOTS
from tests.support.stack import CONTROL_TOKEN, Practice, Process, answers, free_port, until
from tests.support.web import FLASK, Person, Web, install, serving, upload_head

MOST = 2.0
PEERS = 64
PAGES = 300
EVERY = 0.01
SIZE = 64 << 20
RECEIVE_BUFFER = 4096


def run(options: Options) -> list[Line]:
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    with _practice(folder) as practice:
        installation = install(folder, SIZE, practice=practice.url)
        lookers = cycle(installation.lookers)
        with serving(installation, *FLASK) as web:
            kinds: dict[str, Callable[[Web], bytes]] = {
                "readers": _download,
                "uploads": _upload,
                "headers": lambda _web: b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: ",
            }
            lines = [_line(web, f"stalled {kind}", said) for kind, said in kinds.items()]
            lines.append(
                _line(web, "pages stalled at iManage", lambda _web: _browse(web, next(lookers)), practice)
            )
    return lines


def _line(web: Web, kind: str, said: Callable[[Web], bytes], practice: Practice | None = None) -> Line:
    _pages(web, 30)
    rest = _pages(web, PAGES)
    with _slow(practice) if practice else nullcontext(), ExitStack() as peers:
        opened = [peers.enter_context(web.connect(RECEIVE_BUFFER)) for _ in range(PEERS)]
        for peer in opened:
            peer.sendall(said(web))
        time.sleep(1)
        _pages(web, 30)
        stalled = _pages(web, PAGES)
        if practice and (waiting := sum(map(_waits, opened))) < MAX_SLOTS:
            raise RuntimeError(f"{waiting} pages wait for iManage, and {MAX_SLOTS} should.")
    rest += _pages(web, PAGES)
    ratio = percentile(stalled, 0.99) / percentile(rest, 0.99)
    return Line(
        "P15",
        f"pages with {PEERS} {kind}, {PAGES} pages",
        f"p99 {percentile(stalled, 0.99):.1f} ms, p50 {percentile(stalled, 0.5):.1f} ms",
        f"at rest p99 {percentile(rest, 0.99):.1f} ms, p50 {percentile(rest, 0.5):.1f} ms: {ratio:.2f} x",
        f"<= {MOST:.2f} x",
        ratio <= MOST,
    )


@contextmanager
def _practice(folder: Path) -> Iterator[Practice]:
    """The practice iManage in a separate process."""
    practice = Practice(f"http://127.0.0.1:{free_port()}")
    secrets = folder / "practice.json"
    secrets.write_text(json.dumps({"control_token": CONTROL_TOKEN}))
    port = practice.url.rpartition(":")[2]
    command = [sys.executable, "-m", "simulator", "--quiet", "--port", port, "--secrets", str(secrets)]
    process = Process("practice", command, dict(os.environ), folder / "practice.log")
    process.start()
    try:
        until(lambda: answers(f"{practice.url}/api"), "The practice iManage")
        yield practice
    finally:
        process.stop()


@contextmanager
def _slow(practice: Practice) -> Iterator[None]:
    practice.fault("trickle_headers", path="/customers/", times=None, rate=1)
    try:
        yield
    finally:
        practice.clear_faults()


def _waits(peer: socket.socket) -> bool:
    """Whether the peer is still waiting for a response."""
    return not select.select([peer], [], [], 0)[0]


def _browse(web: Web, person: Person) -> bytes:
    form: dict[str, str | int] = {"X_CSRFToken": person.token, "HX_Request": "true", "Content_Length": 0}
    return web.head("POST", person.browse, person, **form)


def _download(web: Web) -> bytes:
    return web.head("GET", web.installation.download, web.installation.ann)


def _upload(web: Web) -> bytes:
    return upload_head(web, SIZE) + b"--edge\r\n"


def _pages(web: Web, number: int) -> list[float]:
    """The time of each page in milliseconds."""
    found = []
    for _ in range(number):
        began = time.perf_counter()
        answer = web.page()
        found.append((time.perf_counter() - began) * 1000)
        if answer != 200:
            raise RuntimeError(f"The page answered {answer}")
        time.sleep(EVERY)
    return found
