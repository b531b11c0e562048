"""P11: what a command and a start cost, beside importing Flask and SQLAlchemy."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.measure import Line, Options, interleaved, ratio_line
from tests.support.stack import Process, answers, free_port, inherited, until

MOST_HELP, MOST_START = 1.5, 4.0
IMPORTS = (sys.executable, "-c", "import flask, flask_sqlalchemy, sqlalchemy")
FLASK = (sys.executable, "-m", "flask", "--app", "app")
NAME = "import flask, flask_sqlalchemy, sqlalchemy"


def run(options: Options) -> list[Line]:
    port = free_port()
    environment = inherited() | {
        "COUNTERPART_DATA_DIR": tempfile.mkdtemp(prefix="start-", dir=options.folder),
        "COUNTERPART_PORT": str(port),
        "COUNTERPART_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    start = partial(_first_page, environment, port, options.folder / "start.log")
    start()  # makes the tables: what is measured is an existing installation
    times = options.times(7)
    spent = interleaved({"ours": partial(_spent, [*FLASK, "--help"]), NAME: partial(_spent, IMPORTS)}, times)
    waited = interleaved({"ours": start, NAME: partial(_waited, IMPORTS)}, times, rest=1.0)
    return [
        ratio_line("P11", "processor of flask --help", spent["ours"], spent[NAME], NAME, MOST_HELP),
        ratio_line("P11", "from up to the first page", waited["ours"], waited[NAME], NAME, MOST_START),
    ]


def _spent(command: list[str] | tuple[str, ...]) -> float:
    """Processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _waited(command: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def _first_page(environment: dict[str, str], port: int, log: Path) -> float:
    process = Process("up", [*FLASK, "up"], environment, log)
    began = time.perf_counter()
    process.start()
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/sign-in"), "The first page", 60)
        return time.perf_counter() - began
    finally:
        process.stop()
