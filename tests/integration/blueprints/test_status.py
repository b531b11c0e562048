"""Health: alive whatever happens inside, ready when pages can be served; and the doctor's words."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from config import KEY_FILE, Settings
from migrations import revisions
from models import WorkerHeartbeat, utcnow
from services.core import runtime
from services.core.unit_of_work import unit_of_work
from services.operations import installation_health, schema, worker_heartbeats
from storage import open_store
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.schema_revision import mark, marked


@pytest.fixture
def migrated(database: None) -> Iterator[None]:
    with marked():
        yield


@pytest.fixture
def working(migrated: None) -> None:
    worker_heartbeats.record("worker-1")


def doctor(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["doctor"])


def line(result: Result, name: str) -> str:
    return next(text for text in result.output.splitlines() if f"  {name}: " in text)


def test_alive_is_said_to_anybody(browser: Browser) -> None:
    answer = browser.get("/health/live")
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, "ok\n")
    assert answer.headers["Cache-Control"] == "no-store"


READY = {"ready": True, "checks": {"database": "ok", "migrations": "ok", "store": "ok"}}


def test_ready_when_pages_can_be_served(browser: Browser, working: None) -> None:
    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.json) == (200, READY)


def test_a_worker_that_rests_takes_no_web_process_away(browser: Browser, migrated: None) -> None:
    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.json) == (200, READY)
    worker_heartbeats.record("worker-1")
    with unit_of_work() as writing:
        writing.get_one(WorkerHeartbeat, "worker-1").seen_at = (
            utcnow() - installation_health.WORKER_TIMEOUT - timedelta(seconds=1)
        )
    assert browser.get("/health/ready").status_code == 200


def test_not_ready_where_documents_cannot_be_read(
    browser: Browser, working: None, settings: Settings, tmp_path: Path
) -> None:
    usual = runtime.runtime()
    root = tmp_path / "blobs"
    runtime.bind(replace(usual, blobs=open_store(f"file://{root}", spool=tmp_path / "spool")))
    try:
        root.rename(tmp_path / "elsewhere")
        answer = browser.get("/health/ready")
        assert (answer.status_code, answer.json and answer.json["checks"]["store"]) == (503, "fail")
    finally:
        runtime.bind(usual)


def test_an_admin_reads_all_that_the_doctor_sees(browser: Browser, app: Flask, working: None) -> None:
    browser.sign_in(make_member(is_admin=True))
    found = browser.get("/health/details").json
    assert found and found["version"]
    names = [check["name"] for check in found["checks"]]
    assert {
        "database",
        "migrations",
        "store",
        "worker",
        "encryption keys",
        "storage",
        "disk",
        "public URL",
    } <= set(names)
    told = json.loads(app.test_cli_runner().invoke(args=["doctor", "--json"]).output)
    assert [check["name"] for check in told["checks"]] == names
    assert all(set(check) == {"name", "state", "sentence", "next_step"} for check in told["checks"])


def test_the_doctor_for_programs_fails_where_something_does(app: Flask, migrated: None) -> None:
    result = app.test_cli_runner().invoke(args=["doctor", "--json"])
    told = json.loads(result.output)
    assert result.exit_code == 1 and told["ok"] is False
    assert [check["state"] for check in told["checks"] if check["name"] == "worker"] == ["fail"]


def test_a_disk_that_is_nearly_full_is_told(
    app: Flask, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, state in ((100 * 1024**2, "fail"), (2 * 1024**3, "warn"), (50 * 1024**3, "ok")):
        usage = SimpleNamespace(total=100 * 1024**3, used=0, free=free)
        monkeypatch.setattr(installation_health.shutil, "disk_usage", lambda _folder, usage=usage: usage)
        result = doctor(app)
        assert line(result, "disk").startswith(state)
        assert (result.exit_code == 1) == (state == "fail")


@pytest.mark.parametrize(
    ("revision", "says"),
    [(None, schema.EMPTY), ("of_another_time", schema.NEWER), ("0001", schema.OLDER)],
)
def test_not_ready_on_the_tables_of_another_version(
    browser: Browser,
    working: None,
    monkeypatch: pytest.MonkeyPatch,
    revision: str | None,
    says: schema.Mismatch,
) -> None:
    """Pretending that there is one more migration where the tables are to be older."""
    if says is schema.OLDER:
        heads, known = revisions.read()
        monkeypatch.setattr(revisions, "read", lambda: (frozenset({"the_next"}), known | heads))
    mark(revision)
    answer = browser.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json and answer.json["checks"]["migrations"] == "fail"
    assert schema.mismatch() == says
    assert "make migrate" in says.next_step


def test_a_database_that_does_not_answer_is_said_calmly(
    browser: Browser, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation_health, "text", lambda _sql: text("SELECT * FROM not_there"))
    answer = browser.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "checks": {"database": "fail", "store": "ok"}}


def test_the_doctor_finds_a_sound_installation(app: Flask, settings: Settings, working: None) -> None:
    settings.data_dir.chmod(0o700)
    result = doctor(app)
    assert result.exit_code == 0, result.output
    assert {text[:4].strip() for text in result.output.splitlines()} == {"ok"}
    assert not list(settings.data_dir.glob(".probe*"))


def test_the_doctor_says_what_is_wrong_and_what_to_do(app: Flask, settings: Settings, migrated: None) -> None:
    keys = settings.data_dir / KEY_FILE
    keys.chmod(0o644)
    try:
        result = doctor(app)
    finally:
        keys.chmod(0o600)
    assert result.exit_code == 1
    assert line(result, "keys").startswith("fail") and f"chmod 600 {keys}" in result.output
    assert line(result, "worker").startswith("fail") and "flask --app app worker" in result.output


def test_a_folder_open_to_others_is_a_warning(app: Flask, settings: Settings, working: None) -> None:
    mode = stat.S_IMODE(settings.data_dir.stat().st_mode)
    settings.data_dir.chmod(0o755)
    try:
        result = doctor(app)
    finally:
        settings.data_dir.chmod(mode)
    assert result.exit_code == 0
    assert line(result, "data folder").startswith("warn")


@pytest.mark.parametrize(
    ("public_url", "host", "state"),
    [
        ("https://dms.firm.test", "0.0.0.0", "ok"),
        ("http://127.0.0.1:8000", "127.0.0.1", "ok"),
        ("http://127.0.0.1:8000", "0.0.0.0", "warn"),
        ("http://dms.firm.test", "127.0.0.1", "warn"),
    ],
)
def test_passwords_in_the_clear_are_warned_of(tmp_path: Path, public_url: str, host: str, state: str) -> None:
    settings = Settings.from_env(
        {
            "COUNTERPART_DATA_DIR": str(tmp_path),
            "COUNTERPART_PUBLIC_URL": public_url,
            "COUNTERPART_HOST": host,
        }
    )
    assert installation_health.public_url(settings).state == state


def test_no_secret_in_what_the_doctor_says(app: Flask, settings: Settings, working: None) -> None:
    output = doctor(app).output
    assert not any(key in output for key in settings.secret_keys)
