"""P17: the web process's memory after uploads, above its idle memory: large ones in sequence and sixteen at once."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Line, Options
from tests.support.web import FLASK, install, own_memory, serving, upload

MOST = 24.0
AT_ONCE = 16
ROUNDS = 3


def run(options: Options) -> list[Line]:
    installation = install(Path(tempfile.mkdtemp(dir=options.folder)), 1 << 20)
    with serving(installation, *FLASK) as web, ThreadPoolExecutor(AT_ONCE) as people:
        (pid,) = web.pids()
        for _ in range(32):
            web.page()
        rest = own_memory(pid)
        after = []
        for index in range(ROUNDS):
            upload(web, f"Large {index}.bin", options.mib)
            after.append(own_memory(pid) - rest)
        one = _line(f"one upload of {options.mib} MiB after the other", after)
        after = []
        for index in range(ROUNDS):
            names = [f"Many {index} {number}.bin" for number in range(AT_ONCE)]
            list(people.map(lambda name: upload(web, name, max(1, options.mib // AT_ONCE)), names))
            after.append(own_memory(pid) - rest)
        many = _line(f"{AT_ONCE} uploads at once, of {max(1, options.mib // AT_ONCE)} MiB each", after)
    return [one, many]


def _line(what: str, above: list[float]) -> Line:
    said = ", ".join(f"{each:.0f}" for each in above)
    return Line(
        "P17", f"web's memory above rest, {what}", f"{said} MiB", "", f"<= {MOST:.0f} MiB", above[-1] <= MOST
    )
