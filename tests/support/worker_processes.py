"""Real worker processes on the installation of the tests, and what can happen to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config import Settings
from services.core.unit_of_work import session
from services.operations import worker_heartbeats
from tests.support.repository import ROOT
from tests.support.schema import marked

REPOSITORY = ROOT
WATCHFUL = ("tests.support.watchful",)


def until(true: Callable[[], object], what: str, seconds: float = 30.0) -> float:
    """Wait for it; returns how long that took, and says what did not come where it does not."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} seconds."
        time.sleep(0.05)
    return time.monotonic() - began


@dataclass
class Worker:
    """One worker process. What it says is kept, to be shown where a test fails."""

    process: subprocess.Popen[bytes]
    log: Path

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """As a power cut would end it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """As a supervisor ends it; returns how long it took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(20) == 0, self.said()
        return time.monotonic() - began

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kept_its_duties(self) -> bool:
        """One that fails goes on at its next turn, and only the log says so."""
        return "worker.duty_failed" not in self.said()


@dataclass
class Crew:
    """The workers of one test."""

    environment: dict[str, str]
    folder: Path
    workers: list[Worker] = field(default_factory=list)

    def start(self, *, watchful: bool = False, through: Sequence[str] = ("flask",)) -> Worker:
        """A worker that has begun to beat. A `watchful` one sees in three seconds that another is gone, not in ten.

        `through` is the module that runs it, with what that one wants to know first.
        """
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", *(WATCHFUL if watchful else (*through, "--app", "app", "worker"))],
                cwd=REPOSITORY,
                env={**os.environ, **self.environment},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        until(
            lambda: process.poll() is not None or f"-{process.pid}-" in _beating(), "the worker's first beat"
        )
        assert process.poll() is None, worker.said()
        return worker

    def end(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.signal(signal.SIGCONT)
                worker.kill()


def _beating() -> str:
    session().rollback()
    return " ".join(worker_heartbeats.last_seen())


@contextmanager
def crew(settings: Settings, port: int, folder: Path, *, keeps_database: bool = True) -> Iterator[Crew]:
    """Workers that share this process's database, store and keys, and may reach the practice iManage at this port.

    Whatever else the test did to them, none may have failed at a duty while they had the database.
    """
    company = Crew(environment_of(settings, port), folder)
    with marked():
        try:
            yield company
        finally:
            company.end()
    for worker in company.workers:
        assert not keeps_database or worker.kept_its_duties(), worker.said()


def environment_of(settings: Settings, port: int) -> dict[str, str]:
    """What another process of the same installation is told."""
    return {
        "COUNTERPART_DATA_DIR": str(settings.data_dir),
        "COUNTERPART_DATABASE_URL": settings.database_url,
        "COUNTERPART_STORAGE_URL": settings.storage_url,
        "COUNTERPART_SECRET_KEYS": ",".join(settings.secret_keys),
        "COUNTERPART_IMANAGE_ALLOW_HTTP": "1",
        "COUNTERPART_IMANAGE_NETWORKS": "127.0.0.0/8",
        "COUNTERPART_CHECK_MINUTES": "0",
        "COUNTERPART_IMANAGE_PORTS": str(port),
    }
