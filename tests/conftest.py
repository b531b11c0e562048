"""What all tests share: one application for the run, and an empty database for each test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask import Flask
from sqlalchemy import update

import logs
import services.auth.passwords
from app import create_app
from config import Settings
from models import Document, db
from services.core import background_tasks
from tests.support.pages import Browser
from tests.support.passwords import CHEAP

pytest_plugins = ["tests.support.fixtures"]


MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a commit waits for no disk, if there is such a place: what a power cut takes is not tested here."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("database")
        return
    with TemporaryDirectory(prefix="counterpart-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, quick_folder: Path) -> Settings:
    data_dir: Path = tmp_path_factory.mktemp("counterpart")
    environ = {
        "COUNTERPART_DATA_DIR": str(data_dir),
        "COUNTERPART_DATABASE_URL": f"sqlite:///{quick_folder / 'counterpart.sqlite'}",
        "COUNTERPART_PUBLIC_URL": "http://127.0.0.1:8000",
        "COUNTERPART_IMANAGE_ALLOW_HTTP": "1",
        "COUNTERPART_IMANAGE_NETWORKS": "127.0.0.0/8",
    }
    if url := os.environ.get("COUNTERPART_TEST_DATABASE_URL"):
        environ["COUNTERPART_DATABASE_URL"] = url
    return Settings.from_env(environ)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application on a fresh schema: SQLite, or COUNTERPART_TEST_DATABASE_URL."""
    application = create_app(settings)
    application.testing = True
    application.config["PROPAGATE_EXCEPTIONS"] = False
    with application.app_context():
        db.drop_all()
        db.create_all()
    yield application
    with application.app_context():
        db.session.remove()
        db.drop_all()
        db.engine.dispose()


@pytest.fixture
def database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An application context around the test, and empty tables after it. Passwords are hashed at little cost."""
    monkeypatch.setattr(services.auth.passwords, "_hasher", CHEAP)
    logs.repeats.forget()
    with app.app_context():
        yield
        assert background_tasks.wait(60), "What a page began in the background is still at work."
        db.session.remove()
        with db.engine.begin() as connection:
            connection.execute(update(Document).values(current_version_id=None))
            for table in reversed(db.metadata.sorted_tables):
                connection.execute(table.delete())


@pytest.fixture
def browser(app: Flask, database: None) -> Browser:
    """A browser that nobody is signed in with; it checks the house rules on every page it is given."""
    return Browser(app)
