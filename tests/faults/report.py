"""The table of cells in docs/transfers.md, drawn from what `make faults` measured.

`python -m tests.faults.report SQLITE.json POSTGRESQL.json` writes it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.faults.matrix import ELSEWHERE, SCENARIOS, cells
from tests.faults.scenario import KINDS, Cell, Scenario
from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "transfers.md"
BEGIN, END = "<!-- measured: faults -->", "<!-- end of what is measured -->"
DATABASES = ("sqlite", "postgresql")
GREEN, RED, NOT_MET = "✓", "✗", "–"
COLUMNS = [(kind, is_many) for kind in KINDS for is_many in (False, True)]
HEAD = (
    "| # | what goes wrong | get: one | many | save new: one | many | new version: one | many |",
    "|---|---|---|---|---|---|---|---|",
)


def table(results: dict[str, dict[str, str]]) -> str:
    """One row per scenario, one cell per kind and count; then the faults not tested, and why."""
    lines = [*HEAD, *(_line(each, results) for each in SCENARIOS)]
    lines += ["", f"{NOT_MET} is not met there:", ""]
    lines += [
        f"- {each.fault}, {each.says}: {each.besides or 'one document shows it'}."
        for each in SCENARIOS
        if _gaps(each)
    ]
    lines += [f"- {fault}: {why}" for fault, why in sorted(ELSEWHERE.items())]
    return "\n".join(lines)


def _line(each: Scenario, results: dict[str, dict[str, str]]) -> str:
    squares = " | ".join(_square(each, kind, is_many, results) for kind, is_many in COLUMNS)
    return f"| {each.fault} | {each.says} | {squares} |"


def _square(each: Scenario, kind: str, is_many: bool, results: dict[str, dict[str, str]]) -> str:
    cell = Cell(each, kind, is_many)
    if kind not in each.kinds or cell.count not in each.counts:
        return NOT_MET
    on = [database for database in DATABASES if each.database in ("both", database)]
    return GREEN if all(results[database].get(cell.id) == "passed" for database in on) else RED


def _gaps(each: Scenario) -> bool:
    return len(each.kinds) < len(KINDS) or len(each.counts) < 2


def squares_of(page: str) -> list[tuple[str, str, tuple[bool, ...]]]:
    """The table in the document: number, text, and which cells are filled."""
    part = page.partition(BEGIN)[2].partition(END)[0]
    rows = [
        re.split(r" *\| *", line.strip("| ")) for line in part.splitlines() if re.match(r"\| \d+ \|", line)
    ]
    return [(row[0], row[1], tuple(square != NOT_MET for square in row[2:])) for row in rows]


def squares_meant() -> list[tuple[str, str, tuple[bool, ...]]]:
    """The same from the matrix."""
    meant = {(cell.scenario, cell.kind, cell.is_many) for cell in cells()}
    return [
        (str(each.fault), each.says, tuple((each, kind, is_many) in meant for kind, is_many in COLUMNS))
        for each in SCENARIOS
    ]


def main(sqlite: str, postgresql: str) -> int:
    read = {
        name: json.loads(Path(path).read_text())
        for name, path in zip(DATABASES, (sqlite, postgresql), strict=True)
    }
    text = PAGE.read_text(encoding="utf-8")
    part = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
    drawn = f"{BEGIN}\n{table(read)}\n{END}"
    PAGE.write_text(part.sub(lambda _match: drawn, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
