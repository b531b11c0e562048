"""P15: the pages of the web process while 64 peers of a kind stall, beside the pages at rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from bench.measure import Line, Options, percentile
from tests.support.web import FLASK, Web, install, serving, upload_head

MOST = 2.0
PEERS = 64
PAGES = 300
EVERY = 0.01
SIZE = 64 << 20
RECEIVE_BUFFER = 4096


def run(options: Options) -> list[Line]:
    installation = install(options.folder, SIZE)
    with serving(installation, *FLASK) as web:
        kinds: dict[str, Callable[[Web], bytes]] = {
            "readers": _download,
            "uploads": _upload,
            "headers": lambda _web: b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: ",
        }
        lines = []
        for kind, said in kinds.items():
            _pages(web, 30)
            rest = _pages(web, PAGES)
            with ExitStack() as peers:
                for _ in range(PEERS):
                    peers.enter_context(web.connect(RECEIVE_BUFFER)).sendall(said(web))
                time.sleep(1)
                _pages(web, 30)
                beside = _pages(web, PAGES)
            rest += _pages(web, PAGES)
            ratio = percentile(beside, 0.99) / percentile(rest, 0.99)
            lines.append(
                Line(
                    "P15",
                    f"pages beside {PEERS} stalled {kind}, {PAGES} pages",
                    f"p99 {percentile(beside, 0.99):.1f} ms, p50 {percentile(beside, 0.5):.1f} ms",
                    f"at rest p99 {percentile(rest, 0.99):.1f} ms, p50 {percentile(rest, 0.5):.1f} ms: {ratio:.2f} x",
                    f"<= {MOST:.2f} x",
                    ratio <= MOST,
                )
            )
    return lines


def _download(web: Web) -> bytes:
    return web.head("GET", web.installation.download, web.installation.ann)


def _upload(web: Web) -> bytes:
    return upload_head(web, SIZE) + b"--edge\r\n"


def _pages(web: Web, number: int) -> list[float]:
    """Milliseconds of each page."""
    found = []
    for _ in range(number):
        began = time.perf_counter()
        answer = web.page()
        found.append((time.perf_counter() - began) * 1000)
        if answer != 200:
            raise RuntimeError(f"The page answered {answer}")
        time.sleep(EVERY)
    return found
