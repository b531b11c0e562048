"""gunicorn serves an installation, and does not start without migrated tables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.stack import answers, free_port, until
from tests.support.worker_processes import REPOSITORY


@contextmanager
def gunicorn(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "app:create_web()",
            "--threads",
            "4",
            "--bind",
            f"127.0.0.1:{port}",
        ],
        cwd=REPOSITORY,
        env={**os.environ, "COUNTERPART_DATA_DIR": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_it_does_not_start_without_tables(tmp_path: Path) -> None:
    with gunicorn(tmp_path, free_port()) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "The database has no tables." in said and "make migrate" in said
    plain = [line for line in said.splitlines() if not line.startswith("{")]
    assert plain[0].startswith("Counterpart cannot start.") and len(plain) == 2, "all other lines are JSON"


def test_it_serves_what_has_been_migrated(tmp_path: Path) -> None:
    environment = {**os.environ, "COUNTERPART_DATA_DIR": str(tmp_path)}
    migrate = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
    subprocess.run(migrate, cwd=REPOSITORY, env=environment, capture_output=True, check=True)
    port = free_port()
    with gunicorn(tmp_path, port):
        until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), "the server", 20)
