"""Real worker processes on the database, store and keys of the tests."""

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
from tests.support.forks import Forked
from tests.support.repository import ROOT
from tests.support.schema_revision import marked

REPOSITORY = ROOT
FAST_TAKEOVER = ("tests.support.fast_takeover",)


def until(true: Callable[[], object], what: str, seconds: float = 30.0) -> float:
    """Wait until `true()`; returns the seconds it took. Fails with `what` after `seconds`."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} seconds."
        time.sleep(0.05)
    return time.monotonic() - began


@dataclass
class Worker:
    """One worker process. Its output is kept, and shown when a test fails."""

    process: Forked
    log: Path

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """Without any chance to clean up."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """As a supervisor does; returns the seconds it took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(20) == 0, self.said()
        return time.monotonic() - began

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kept_its_duties(self) -> bool:
        """A duty that fails runs again at its next time; only the log tells."""
        return "worker.duty_failed" not in self.said()


@dataclass
class Workers:
    """The worker processes of one test."""

    environment: dict[str, str]
    folder: Path
    workers: list[Worker] = field(default_factory=list)

    def start(self, *, fast_takeover: bool = False, through: Sequence[str] = ("flask",)) -> Worker:
        """A worker that has written its first heartbeat.

        With `fast_takeover` it takes over from a dead one in three seconds, not in ten. `through` is the module that
        runs it, with its first arguments.
        """
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as said:
            process = Forked(
                [
                    sys.executable,
                    "-m",
                    *(FAST_TAKEOVER if fast_takeover else (*through, "--app", "app", "worker")),
                ],
                env={**os.environ, **self.environment},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        until(
            lambda: process.poll() is not None or f"-{process.pid}-" in _heartbeats(),
            "the worker's first heartbeat",
        )
        assert process.poll() is None, worker.said()
        return worker

    def end(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.signal(signal.SIGCONT)
                worker.kill()


def _heartbeats() -> str:
    session().rollback()
    return " ".join(worker_heartbeats.last_seen())


@contextmanager
def running_workers(
    settings: Settings, port: int, folder: Path, *, keeps_database: bool = True
) -> Iterator[Workers]:
    """Workers that share this process's database, store and keys, and may reach the practice iManage at this port.

    None may have failed at a duty while it had the database, whatever the test did to it.
    """
    pool = Workers(environment_of(settings, port), folder)
    with marked():
        try:
            yield pool
        finally:
            pool.end()
    for worker in pool.workers:
        assert not keeps_database or worker.kept_its_duties(), worker.said()


def environment_of(settings: Settings, port: int) -> dict[str, str]:
    """The settings of another process of the same installation."""
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
