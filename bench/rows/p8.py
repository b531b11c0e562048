"""P8: page times while the worker gets two large documents over TLS, compared with an idle worker.

nginx sends the documents, because a real iManage would not use this machine's CPU.
"""

from __future__ import annotations

import os
import re
import time
import uuid

import requests

from bench import moving
from bench.installation import PASSWORD, Installation, install_bench
from bench.measure import Line, Options, percentile

MOST = 3.0
PAGES = ("/matters", "/account", "/health/live")
AT_REST = 300
EVERY = 0.01
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def run(options: Options) -> list[Line]:
    with install_bench(
        options.folder, folders=1, documents=2, large=(options.mib,), web=True, tls=True
    ) as system:
        browser = signed_in(system)
        system.start_worker()
        moving.wait(system, moving.start_gets(system, system.sources[0]) + _get(system, options.mib))
        os.sync()  # flush nginx's cache
        _pages(system, browser, 30)
        rest = _pages(system, browser, AT_REST)
        started = [*_get(system, options.mib), *_get(system, options.mib)]
        busy: list[float] = []
        while set(moving.states(started)) - {"done"}:
            busy += _pages(system, browser, 15)
        moving.wait(system, started)
    ratio = percentile(busy, 0.99) / percentile(rest, 0.99)
    return [
        Line(
            "P8",
            f"pages during two transfers of {options.mib} MiB over TLS, {len(busy)} pages",
            f"p99 {percentile(busy, 0.99):.1f} ms, p50 {percentile(busy, 0.5):.1f} ms",
            f"at rest p99 {percentile(rest, 0.99):.1f} ms, p50 {percentile(rest, 0.5):.1f} ms: {ratio:.2f} x",
            f"<= {MOST:.2f} x",
            ratio <= MOST,
        )
    ]


def _get(system: Installation, mib: int) -> list[uuid.UUID]:
    return moving.start_gets(system, [system.large[mib]])


def signed_in(system: Installation) -> requests.Session:
    browser = requests.Session()
    page = browser.get(f"{system.url}/sign-in", timeout=10).text
    found = TOKEN.search(page)
    form = {"email": f"{system.people[0].user.lower()}@practice.example", "password": PASSWORD}
    answer = browser.post(
        f"{system.url}/sign-in", data=form | {"csrf_token": found[1] if found else ""}, timeout=10
    )
    if "sign-in" in answer.url or not answer.ok:
        raise RuntimeError(f"Signing in ended at {answer.url} with {answer.status_code}")
    return browser


def _pages(system: Installation, browser: requests.Session, number: int) -> list[float]:
    """The time of each page in milliseconds."""
    found = []
    for index in range(number):
        began = time.perf_counter()
        answer = browser.get(f"{system.url}{PAGES[index % len(PAGES)]}", timeout=30)
        found.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
        time.sleep(EVERY)
    return found
