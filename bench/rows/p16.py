"""P16: 64 pages at once on PostgreSQL beside four workers that transfer: statuses, and connections of each worker.

Each worker signs in to the database under a name of its own, by which its connections are counted.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import requests
from sqlalchemy import make_url

from bench import moving
from bench.databases import postgresql
from bench.installation import LATENCY, install_bench
from bench.measure import Line, Options, percentile
from bench.rows.p8 import signed_in
from config import libpq_url

MOST_CONNECTIONS = 8
WORKERS = 4
AT_ONCE = 64
SECONDS = 20.0
EVERY = 0.1
PAGES = ("/matters", "/account", "/transfers")


def run(options: Options) -> list[Line]:
    with (
        postgresql(options.folder) as url,
        install_bench(
            options.folder, folders=1, documents=options.documents or 2000, web=True, database_url=url
        ) as system,
        psycopg.connect(libpq_url(url), autocommit=True) as observer,
    ):
        names = [f"worker_{number}" for number in range(WORKERS)]
        for name in names:
            observer.execute(f"CREATE ROLE {name} LOGIN SUPERUSER")
            role = make_url(url).set(username=name).render_as_string(hide_password=False)
            system.start_worker(environment={"COUNTERPART_DATABASE_URL": role})
        system.until_workers_rest()
        system.latency(LATENCY)
        browser = signed_in(system)
        started = moving.start_gets(system, system.sources[0])
        ended = threading.Event()
        with ThreadPoolExecutor(AT_ONCE) as readers:
            reading = [
                readers.submit(_read, system.url, browser.cookies, ended, number) for number in range(AT_ONCE)
            ]
            most = _most_connections(observer, ended)
        is_transferring = bool(set(moving.states(started)) - {"done"})
        pages = [page for each in reading for page in each.result()]
        moving.wait(system, started)
    statuses = Counter(status for status, _ in pages)
    worst = max(most[name] for name in names)
    others = f"all by status: {dict(statuses)}; p99 {percentile([ms for _, ms in pages], 0.99):.0f} ms"
    return [
        Line(
            "P16",
            f"{AT_ONCE} pages at once beside {WORKERS} workers, {len(pages)} pages",
            f"{len(pages) - statuses[200]} not answered with 200",
            others if is_transferring else f"{others}; the transfers ended before the pages",
            "0",
            statuses.keys() == {200},
        ),
        Line(
            "P16",
            "connections of a worker, at most",
            str(worst),
            f"all processes {most.total()}",
            f"<= {MOST_CONNECTIONS}",
            0 < worst <= MOST_CONNECTIONS,
        ),
    ]


def _read(
    url: str, cookies: requests.cookies.RequestsCookieJar, ended: threading.Event, first: int
) -> list[tuple[int, float]]:
    """The status and milliseconds of each page until `ended`; status 0 if there was no response."""
    found = []
    with requests.Session() as browser:
        browser.cookies.update(cookies)
        number = first
        while not ended.is_set():
            began = time.perf_counter()
            try:
                status = browser.get(f"{url}{PAGES[number % len(PAGES)]}", timeout=60).status_code
            except requests.RequestException:
                status = 0
            found.append((status, (time.perf_counter() - began) * 1000))
            number += 1
    return found


def _most_connections(observer: psycopg.Connection, ended: threading.Event) -> Counter[str]:
    """The most connections of each database user within `SECONDS`, after which it sets `ended`."""
    most: Counter[str] = Counter()
    latest = time.monotonic() + SECONDS
    try:
        while time.monotonic() < latest:
            rows = observer.execute(
                "SELECT usename, count(*) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY usename"
            )
            most |= Counter({str(name): int(number) for name, number in rows})
            time.sleep(EVERY)
    finally:
        ended.set()
    return most
