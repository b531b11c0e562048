"""`python -m bench [ROW…]`: measures, prints one line per figure, and fails if a figure exceeds its goal.

`machine` instead of `over`: on this machine the goal is exceeded even without our code (bench/measure.py).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from bench.measure import Line, MissingToolError, Options

ROWS = {
    "P1": "p1",
    "P2": "p1",
    "P3": "p3",
    "P4": "p4",
    "P5": "p4",
    "P8": "p8",
    "P9": "p9",
    "P10": "p10",
    "P11": "p11",
    "P12": "p12",
    "P13": "p13",
    "P14": "p14",
    "P15": "p15",
    "P16": "p16",
    "P17": "p17",
    "R1": "r1",
    "R3": "r3",
    "M1": "m1",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run the benchmarks.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all by default")
    parser.add_argument("--full", action="store_true", help="more kills, and 1,000,000 members")
    parser.add_argument("--repeats", type=int, help="number of repetitions")
    parser.add_argument("--documents", type=int, help="number of small documents")
    parser.add_argument("--mib", type=int, default=1024, help="size of the large document")
    given = parser.parse_args()
    if unknown := set(given.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    modules = dict.fromkeys(ROWS[row] for row in given.rows or ROWS)
    folder = Path(tempfile.mkdtemp(prefix="counterpart-bench-"))
    options = Options(folder, given.full, given.repeats, given.documents, given.mib)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.", flush=True)
    over = 0
    try:
        for module in modules:
            began = time.monotonic()
            try:
                lines = import_module(f"bench.rows.{module}").run(options)
            except MissingToolError as missing:
                print(f"{module.upper()}: {missing}")
                over += 1
                continue
            for line in lines:
                over += line.verdict == "over"
                _show(line)
            print(f"    ({time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f})", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if over else 0


def _show(line: Line) -> None:
    goal = f"  goal {line.goal}" if line.goal else ""
    compared = f"  |  {line.compared}" if line.compared else ""
    print(f"{line.row:3} {line.verdict:8}{line.what}: {line.ours}{compared}{goal}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
