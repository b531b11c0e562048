"""Scheduled checks by real worker processes: one for all of them, and another after the server has changed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from config import Settings
from models import Server, ServerCheck, ServerHealth, utcnow
from services.core.unit_of_work import session, unit_of_work
from simulator import Fault, Simulator
from tests.support.practice import practice_server
from tests.support.worker_processes import running_workers, until


def state(server: Server) -> str:
    session().rollback()
    row = session().get(ServerHealth, server.id)
    return row.state if row else ""


def runs() -> int:
    session().rollback()
    return session().scalar(select(func.count()).where(ServerCheck.finished_at.is_not(None))) or 0


def test_scheduled_checks_run_once_and_again_after_a_change(
    settings: Settings, database: None, practice: Simulator, tmp_path: Path
) -> None:
    server = practice_server(practice)
    with running_workers(settings, practice.port, tmp_path) as pool:
        pool.environment["COUNTERPART_CHECK_MINUTES"] = "15"
        pool.start()
        pool.start()
        until(lambda: state(server) == "healthy", "the first check")
        assert runs() == 1
        practice.faults.add(Fault("status", path="/api", status=503, times=None))
        with unit_of_work() as writing:
            writing.get_one(Server, server.id).changed_at = utcnow()
        until(lambda: state(server) == "failing", "the check after a change")
        assert runs() == 2
