"""P8: the pages of the web process while the worker gets two large documents over TLS, beside the pages at rest.

nginx sends the documents: on a machine of its own an iManage would take none of our processors.
"""

from __future__ import annotations

import os
import re
import time
import uuid

import requests

from bench import moving
from bench.measure import Line, Options, percentile
from bench.stand import PASSWORD, Stand, stand

MOST = 3.0
PAGES = ("/matters", "/account", "/health/live")
AT_REST = 300
EVERY = 0.01
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def run(options: Options) -> list[Line]:
    with stand(options.folder, folders=1, documents=2, large=(options.mib,), web=True, tls=True) as place:
        browser = _signed_in(place)
        place.start_worker()
        moving.wait(place, moving.ask_to_get(place, place.sources[0]) + _get(place, options.mib))
        os.sync()  # what nginx keeps of it
        _pages(place, browser, 30)
        rest = _pages(place, browser, AT_REST)
        started = [*_get(place, options.mib), *_get(place, options.mib)]
        busy: list[float] = []
        while set(moving.states(started)) - {"done"}:
            busy += _pages(place, browser, 15)
        moving.wait(place, started)
    ratio = percentile(busy, 0.99) / percentile(rest, 0.99)
    return [
        Line(
            "P8",
            f"pages beside two transfers of {options.mib} MiB over TLS, {len(busy)} pages",
            f"p99 {percentile(busy, 0.99):.1f} ms, p50 {percentile(busy, 0.5):.1f} ms",
            f"at rest p99 {percentile(rest, 0.99):.1f} ms, p50 {percentile(rest, 0.5):.1f} ms: {ratio:.2f} x",
            f"<= {MOST:.2f} x",
            ratio <= MOST,
        )
    ]


def _get(place: Stand, mib: int) -> list[uuid.UUID]:
    return moving.ask_to_get(place, [place.large[mib]])


def _signed_in(place: Stand) -> requests.Session:
    browser = requests.Session()
    page = browser.get(f"{place.url}/sign-in", timeout=10).text
    found = TOKEN.search(page)
    form = {"email": f"{place.people[0].user.lower()}@practice.example", "password": PASSWORD}
    answer = browser.post(
        f"{place.url}/sign-in", data=form | {"csrf_token": found[1] if found else ""}, timeout=10
    )
    if "sign-in" in answer.url or not answer.ok:
        raise RuntimeError(f"Signing in ended at {answer.url} with {answer.status_code}")
    return browser


def _pages(place: Stand, browser: requests.Session, number: int) -> list[float]:
    """Milliseconds of each page."""
    found = []
    for index in range(number):
        began = time.perf_counter()
        answer = browser.get(f"{place.url}{PAGES[index % len(PAGES)]}", timeout=30)
        found.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
        time.sleep(EVERY)
    return found
