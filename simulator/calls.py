"""Every call of the practice server, from `calls.tsv`: where it is publicly known from, how surely, what it answers.

The README's table and the OpenAPI description are drawn from this.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("calls.tsv")
CUSTOMER = "/work/api/v2/customers/{customer}"
SHORT = {"C": CUSTOMER, "L": f"{CUSTOMER}/libraries/{{lib}}"}


class Call(NamedTuple):
    """One call.

    `section` is of the public facts that the server follows, `confidence` is from A (three sources) to D (none).
    `answer` is a shape and a schema: record, list (`data` is an array), results (an array in `data.results`), found (an
    array with `overflow` beside), json, bytes, page, redirect, nothing. `ours` is what of it no public source shows.
    `query` and `body` are names; a body can also be `multipart` or `form`.
    """

    method: str
    path: str
    section: str
    confidence: str
    source: str
    answer: str
    ours: str
    status: int
    query: str
    body: str


@lru_cache(maxsize=1)
def calls() -> tuple[Call, ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_call(row) for row in csv.DictReader(file, delimiter="\t"))


def _call(row: dict[str, Any]) -> Call:
    first, slash, rest = row["path"].partition("/")
    path = SHORT.get(first, first) + slash + rest
    return Call(**row | {"path": path, "status": int(row["status"])})


def table() -> str:
    """The README's table of calls."""
    lines = ["| call | section | confidence | source | evidence or our choice |", "|---|---|---|---|---|"]
    for one in calls():
        path = one.path.replace(SHORT["L"], "L").replace(SHORT["C"], "C")
        kind, mark = ("our choice", ": ") if one.confidence == "D" else ("evidence", "; ours: ")
        said = f"{kind}{mark}{one.ours}" if one.ours else kind
        source = one.source or "–"
        lines.append(f"| `{one.method} {path}` | {one.section} | {one.confidence} | {source} | {said} |")
    return "\n".join(lines)
