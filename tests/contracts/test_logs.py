"""What processes write to standard error: only JSON, one line per request, repeated errors counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import requests
import structlog
from flask import Flask

import logs
from app import create_app
from config import Settings, SettingsError
from models import Transfer, db, utcnow
from services.core import background_tasks, runtime
from services.core.unit_of_work import unit_of_work
from services.transfers import lifecycle
from tests.support import forks, postgres
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.routes import make_firm
from tests.support.stack import answers, free_port
from tests.support.worker_processes import REPOSITORY, until

FLASK = (sys.executable, "-m", "flask", "--app", "app")


def lines_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_has_one_line_without_a_name(browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    browser.sign_in(make_member("Ada Admin", is_admin=True))
    capsys.readouterr()
    answer = browser.get("/admin/members?search=Beyoncé")
    (line,) = lines_of(capsys.readouterr().err)
    assert line["event"] == "request" and line["method"] == "GET" and line["status"] == answer.status_code
    assert line["route"] == "/admin/members" and line["request_id"] == answer.headers["X-Request-ID"]
    assert isinstance(line["ms"], float) and not {"url", "path", "query"} & line.keys()
    assert "Beyonc" not in json.dumps(line) and "Ada" not in json.dumps(line)


@pytest.mark.parametrize("url", ["/sign-in", "/no-such-page", "/health/live", "/static/mark.svg", "/matters"])
def test_every_response_has_a_request_id(browser: Browser, url: str) -> None:
    ids = {browser.get(url).headers["X-Request-ID"] for _ in range(2)}
    assert len(ids) == 2 and all(len(each) == 16 for each in ids)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("proxy-0123456789", True),
        ("a" * 61, False),
        ("short", False),
        ("with space x", False),
        ("{'x': 1}<b>", False),
    ],
)
def test_a_request_id_is_accepted_only_from_a_trusted_proxy(
    tmp_path: Path, given: str, is_kept: bool, app: Flask
) -> None:
    usual = runtime.runtime()
    try:
        for proxies, kept in (("127.0.0.0/8", is_kept), ("", False)):
            own = create_app(
                Settings.from_env(
                    {"COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_TRUSTED_PROXIES": proxies}
                )
            )
            answer = own.test_client().get("/health/live", headers={"X-Request-ID": given})
            assert (answer.headers["X-Request-ID"] == given) == kept
    finally:
        runtime.bind(usual)
        background_tasks.bind(app.app_context)


def test_the_same_error_is_written_once_a_minute_and_counted(
    app: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.repeats.forget()
    now = [1000.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    log = structlog.get_logger()
    for number in range(50):
        try:
            raise OSError(f"number {number}")
        except OSError:
            log.exception("thing.failed", item=number)
    log.error("thing.failed", code="another")
    log.info("thing.went_on")
    log.info("thing.went_on")
    found = lines_of(capsys.readouterr().err)
    assert [line["event"] for line in found] == [
        "thing.failed",
        "thing.failed",
        "thing.went_on",
        "thing.went_on",
    ]
    assert "OSError: number 0" in str(found[0]["exception"])
    now[0] += 61
    log.info("thing.went_on")
    counted = lines_of(capsys.readouterr().err)[0]
    assert (counted["event"], counted["of"], counted["repeated"]) == ("thing.failed", "OSError", 49)
    log.error("thing.failed", code="another")
    assert len(lines_of(capsys.readouterr().err)) == 1


def test_ever_new_events_do_not_fill_the_memory() -> None:
    repeats = logs.Repeats()
    new = sum(repeats.is_new(("e", "warning", "", str(number)), 0.0) for number in range(10_000))
    assert new <= logs.MAX_DISTINCT + 1


def test_row_values_quoted_by_the_database_are_left_out(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.repeats.forget()
    quoted = "duplicate key\nDETAIL:  Key (email_key)=(ada@firm.test) already exists."
    try:
        raise ValueError(quoted)
    except ValueError:
        structlog.get_logger().exception("thing.refused")
    said = capsys.readouterr().err
    assert "duplicate key" in said and "ada@firm.test" not in said


def test_libraries_warnings_and_uncaught_errors_are_logged_as_json(tmp_path: Path) -> None:
    source = """
        import logging, threading, warnings, waitress
        import logs
        logs.configure("info")
        with logs.process("test", port=1):
            warnings.warn("a deprecated call")
            logging.getLogger("alembic").warning("a line\\nand another")
            logging.getLogger("waitress.queue").warning("Task queue depth is %d", 3)
            logging.getLogger("urllib3").debug("not wanted")
            def fail(): raise OSError("in a thread")
            thread = threading.Thread(target=fail); thread.start(); thread.join()
        raise RuntimeError("at the end")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = lines_of(done.stderr)
    events = [str(line["event"]) for line in found]
    assert events[0] == "process.started" and found[0]["port"] == 1
    assert any("a deprecated call" in event for event in events)
    assert {line.get("logger") for line in found} >= {"alembic", "waitress.queue", "py.warnings"}
    uncaught = [line for line in found if line["event"] == "process.uncaught"]
    assert ["in a thread" in str(line["exception"]) for line in uncaught] == [True, False]
    assert events[-2:] == ["process.stopped", "process.uncaught"] and done.returncode == 1


def test_the_end_of_a_transfer_has_one_line(
    app: Flask, database: None, capsys: pytest.CaptureFixture[str]
) -> None:
    transfer_id = make_firm(app).places["transfer"]
    capsys.readouterr()
    with pytest.raises(ZeroDivisionError), unit_of_work() as writing:
        writing.get_one(Transfer, transfer_id).finished_at = utcnow()
        writing.flush()
        lifecycle.log_when_committed([transfer_id])
        raise ZeroDivisionError
    assert not capsys.readouterr().err, "it was rolled back"
    with unit_of_work() as writing:
        writing.get_one(Transfer, transfer_id).finished_at = utcnow()
        writing.flush()
        lifecycle.log_when_committed([transfer_id])
        assert not capsys.readouterr().err, "it is not committed yet"
    (line,) = lines_of(capsys.readouterr().err)
    assert (
        line["event"] == "transfer.ended" and line["transfer"] == str(transfer_id) and line["kind"] == "get"
    )
    assert line["items"] == {"needs_sign_in": 1}
    assert "Lease" not in json.dumps(line)
    db.session.remove()


def test_an_unknown_level_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_LOG_LEVEL must be one of"):
        Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_LOG_LEVEL": "loud"})


@pytest.mark.parametrize(("level", "has_requests"), [("info", True), ("error", False)])
def test_the_level_is_respected(tmp_path: Path, level: str, has_requests: bool) -> None:
    port = free_port()
    environ = {
        **os.environ,
        "COUNTERPART_DATA_DIR": str(tmp_path),
        "COUNTERPART_PORT": str(port),
        "COUNTERPART_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "COUNTERPART_LOG_LEVEL": level,
    }
    assert forks.run([*FLASK, "db", "upgrade"], env=environ).returncode == 0
    log = tmp_path / "log"
    with log.open("wb") as said:
        web = forks.Forked([*FLASK, "web"], env=environ, stdout=said)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), "the web process")
        requests.get(f"http://127.0.0.1:{port}/sign-in", timeout=20)
    finally:
        web.terminate()
        web.wait(40)
    assert any(line["event"] == "request" for line in lines_of(log.read_text())) == has_requests


def test_a_worker_without_its_database_logs_little_and_only_json(tmp_path: Path) -> None:
    with postgres.running() as url:
        environ = {**os.environ, "COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_DATABASE_URL": url}
        assert forks.run([*FLASK, "db", "upgrade"], env=environ).returncode == 0
        log = tmp_path / "log"
        with log.open("wb") as said:
            worker = forks.Forked([*FLASK, "worker"], env=environ, stdout=said)
        try:
            until(lambda: "process.started" in log.read_text(), "the worker")
            time.sleep(2)
            postgres.stop(url)
            time.sleep(8)
            postgres.start(url)
            time.sleep(2)
        finally:
            worker.terminate()
            worker.wait(30)
    found = lines_of(log.read_text())
    assert found[-1]["event"] == "process.stopped"
    assert any(line["event"] == "worker.duty_failed" for line in found)
    assert sum(int(str(line["repeated"])) for line in found if "repeated" in line) > 20
    assert log.stat().st_size < 60_000
