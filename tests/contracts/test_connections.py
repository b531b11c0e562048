"""Connection counts of real processes, a full connection pool, and PgBouncer in front of PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from flask import Flask
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app import create_app
from config import Settings, SettingsError
from models import db
from models.pool import ProcessPool
from services.core import background_tasks, runtime
from services.operations import database, installation_health
from tests.support import forks, postgres
from tests.support.pages import read
from tests.support.pgbouncer import pooled
from tests.support.stack import answers, free_port
from tests.support.worker_processes import until

FLASK = (sys.executable, "-m", "flask", "--app", "app")
HELD = text(
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counterpart' AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    port = free_port()
    return {
        **os.environ,
        "COUNTERPART_DATA_DIR": str(folder),
        "COUNTERPART_DATABASE_URL": url,
        "COUNTERPART_PORT": str(port),
        "COUNTERPART_PUBLIC_URL": f"http://127.0.0.1:{port}",
        **more,
    }


def run(environ: dict[str, str], *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return forks.run([*FLASK, *command], env=environ, given=given)


@contextmanager
def process(environ: dict[str, str], log: Path, command: str) -> Iterator[None]:
    with log.open("wb") as said:
        running = forks.Forked([*FLASK, command], env=environ, stdout=said)
    try:
        yield
    finally:
        running.terminate()
        running.wait(30)


def fresh_database(server: str, name: str, encoding: str = "UTF8") -> str:
    with engine(server).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        )
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool, connect_args={"client_encoding": "utf8"})


def heartbeats(url: str) -> int:
    with engine(url).connect() as connection:
        found: int = connection.scalar(text("SELECT count(*) FROM worker_heartbeat")) or 0
        return found


def test_worker_and_web_stay_within_their_number_of_connections(server: str, tmp_path: Path) -> None:
    url = fresh_database(server, "shares")
    environ = environment(url, tmp_path)
    assert run(environ, "db", "upgrade").returncode == 0
    observer = engine(server).connect()

    def held() -> int:
        observer.rollback()
        return observer.scalar(HELD) or 0

    with process(environ, tmp_path / "worker.log", "worker"):
        until(lambda: heartbeats(url), "the worker")
        time.sleep(3)
        assert 0 < held() <= 8, (tmp_path / "worker.log").read_text()
    until(lambda: held() == 0, "the worker's end")
    with process(environ, tmp_path / "web.log", "web"):
        page = f"{environ['COUNTERPART_PUBLIC_URL']}/sign-in"
        until(lambda: answers(page.replace("/sign-in", "/health/live")), "the web process")
        most = 0
        with ThreadPoolExecutor(64) as crowd:
            asked = [crowd.submit(requests.get, page, timeout=60) for _ in range(400)]
            while not all(each.done() for each in asked):
                most = max(most, held())
        assert {each.result().status_code for each in asked} == {200}
        assert 0 < max(most, held()) <= 10
    observer.close()


def test_processes_run_behind_pgbouncer(server: str, tmp_path: Path) -> None:
    """In transaction mode, with fewer connections to the database than the processes have to PgBouncer."""
    url = fresh_database(server, "pooled")
    with pooled(url, connections=3) as through:
        environ = environment(through, tmp_path)
        assert (done := run(environ, "db", "upgrade")).returncode == 0, done.stderr
        add = ("member", "add", "ada@firm.test", "--name", "Ada", "--admin", "--password-stdin")
        assert (done := run(environ, *add, given="harbour lantern 94 drifting")).returncode == 0, done.stderr
        with (
            process(environ, tmp_path / "worker.log", "worker"),
            process(environ, tmp_path / "web.log", "web"),
        ):
            public = environ["COUNTERPART_PUBLIC_URL"]
            until(lambda: answers(f"{public}/health/ready"), "web and worker")
            with ThreadPoolExecutor(32) as crowd:
                asked = [crowd.submit(requests.get, f"{public}/sign-in", timeout=60) for _ in range(300)]
            assert {each.result().status_code for each in asked} == {200}
            until(lambda: heartbeats(url), "the worker's heartbeat")
            doctor = run(environ, "doctor")
            assert "pooler such as PgBouncer" in doctor.stdout, doctor.stdout
        said = (tmp_path / "worker.log").read_text() + (tmp_path / "web.log").read_text()
        assert "Error" not in said and "failed" not in said, said


def test_statements_are_not_prepared_behind_pgbouncer(server: str) -> None:
    from models.pool import prepare_postgresql

    with pooled(server) as through:
        found = []
        for url in (server, through):
            one = engine(url)
            prepare_postgresql(one)
            with one.connect() as connection:
                found.append(connection.connection.dbapi_connection.prepare_threshold)
        assert found[0] and found[1] is None


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name_is_refused(
    server: str, tmp_path: Path, encoding: str
) -> None:
    environ = environment(fresh_database(server, f"in_{encoding.lower()}", encoding), tmp_path)
    for command in (("db", "upgrade"), ("worker",)) if encoding == "LATIN1" else (("web",),):
        done = run(environ, *command)
        assert done.returncode == 1, done.stderr
        assert f"The encoding of the database is {encoding}" in done.stderr and "Traceback" not in done.stderr
    with engine(environ["COUNTERPART_DATABASE_URL"]).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) == 0


@pytest.fixture
def on_postgresql(app: Flask, settings: Settings, server: str, tmp_path: Path) -> Iterator[Flask]:
    """An application in this process on that server, with its tables."""
    usual = runtime.runtime()
    own = create_app(
        replace(settings, data_dir=tmp_path, database_url=fresh_database(server, "here"), database_pool=4)
    )
    with own.app_context():
        db.create_all()
        database.limit_web_process()
        ProcessPool.wait_seconds = 0.2
        db.engine.dispose()
    yield own
    with own.app_context():
        ProcessPool.most, ProcessPool.wait_seconds = 20, 10.0
        db.session.remove()
        db.engine.dispose()
    runtime.bind(usual)
    background_tasks.bind(app.app_context)


def test_a_full_pool_waits_and_then_answers_busy(on_postgresql: Flask, server: str) -> None:
    client = on_postgresql.test_client()
    with on_postgresql.app_context():
        taken = [db.engine.connect() for _ in range(4)]
    for htmx in (False, True):
        answer = client.get("/sign-in", headers={"HX-Request": "true"} if htmx else {})
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        assert "Counterpart is busy" in read(answer, whole=not htmx).text
    taken.pop().close()
    assert client.get("/sign-in").status_code < 400
    for each in taken:
        each.close()
    with on_postgresql.app_context():
        check = installation_health._connections()[0]
        assert check.state == installation_health.OK and "has 97 connections" in check.sentence
        db.session.execute(text("ALTER ROLE CURRENT_USER CONNECTION LIMIT 9"))
        db.session.commit()
        try:
            check = installation_health._connections()[0]
            assert check.state == installation_health.WARN and "max_connections" in check.next_step
        finally:
            db.session.execute(text("ALTER ROLE CURRENT_USER CONNECTION LIMIT -1"))
            db.session.commit()


@pytest.mark.parametrize("value", ["3", "-1", "many", "1000", "8.0"])
def test_an_invalid_pool_size_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_DATABASE_POOL must be a number"):
        Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_DATABASE_POOL": value})
