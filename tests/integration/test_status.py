"""Health: alive whatever happens inside, ready only when documents can move; and the doctor's words."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from config import KEY_FILE, Settings
from models import WorkerHeartbeat, utcnow
from services import health, schema, workers
from services.unit import unit
from tests.support.pages import Browser
from tests.support.schema import mark, marked


@pytest.fixture
def migrated(database: None) -> Iterator[None]:
    with marked():
        yield


@pytest.fixture
def working(migrated: None) -> None:
    workers.beat("worker-1")


def doctor(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["doctor"])


def line(result: Result, name: str) -> str:
    return next(text for text in result.output.splitlines() if f"  {name}: " in text)


def test_alive_is_said_to_anybody(browser: Browser) -> None:
    answer = browser.get("/health/live")
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, "ok\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_ready_when_all_is_there(browser: Browser, working: None) -> None:
    answer = browser.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "checks": {"database": "ok", "migrations": "ok", "worker": "ok"}}


def test_not_ready_without_a_worker(browser: Browser, migrated: None) -> None:
    answer = browser.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "checks": {"database": "ok", "migrations": "ok", "worker": "fail"}}


def test_not_ready_when_the_workers_fell_silent(browser: Browser, working: None) -> None:
    with unit() as writing:
        writing.get_one(WorkerHeartbeat, "worker-1").seen_at = (
            utcnow() - health.WORKER_SILENT - timedelta(seconds=1)
        )
    assert browser.get("/health/ready").status_code == 503


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
        heads, known = schema._revisions()
        monkeypatch.setattr(schema, "_revisions", lambda: (frozenset({"the_next"}), known | heads))
    mark(revision)
    answer = browser.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json and answer.json["checks"]["migrations"] == "fail"
    assert schema.mismatch() == says
    assert "make migrate" in says.next_step


def test_a_database_that_does_not_answer_is_said_calmly(
    browser: Browser, working: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "text", lambda _sql: text("SELECT * FROM not_there"))
    answer = browser.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "checks": {"database": "fail"}}


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
    assert health.public_url(settings).state == state


def test_no_secret_in_what_the_doctor_says(app: Flask, settings: Settings, working: None) -> None:
    output = doctor(app).output
    assert not any(key in output for key in settings.secret_keys)
