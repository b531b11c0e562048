"""P12: the bytes of a first visit, compressed as they are sent, and the requests of the page after it."""

from __future__ import annotations

import gzip
import re
from urllib.parse import urljoin

import requests

from bench.installation import install_bench
from bench.measure import Line, Options
from bench.rows.p8 import signed_in

MOST_KB = 60.0
LINKED = re.compile(r"""(?:<link[^>]*\shref|<script[^>]*\ssrc|<img[^>]*\ssrc|<use[^>]*\shref)="([^"#]+)""")


def run(options: Options) -> list[Line]:
    with install_bench(options.folder, web=True) as place:
        browser = signed_in(place)
        lines = []
        for name, session, path in (
            ("sign-in", requests.Session(), "/sign-in"),
            ("matters", browser, "/matters"),
        ):
            page = session.get(f"{place.url}{path}", timeout=10)
            files = {urljoin(page.url, link) for link in LINKED.findall(page.text)}
            answers = [session.get(file, stream=True, timeout=10) for file in sorted(files)]
            sent = [len(answer.raw.read(decode_content=False)) for answer in answers]
            # The page itself is compressed by the proxy in front.
            total = (sum(sent) + len(gzip.compress(page.content))) / 1000
            kept = all("immutable" in answer.headers.get("Cache-Control", "") for answer in answers)
            lines.append(
                Line(
                    "P12",
                    f"first visit to {name}, {len(files) + 1} requests",
                    f"{total:.1f} kB",
                    "the next page is one answer" if kept else "the next page asks for files again",
                    f"<= {MOST_KB:.0f} kB",
                    total <= MOST_KB and kept,
                )
            )
    return lines
