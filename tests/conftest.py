"""What all tests share: one application for each process, and an empty database for each test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask import Flask
from sqlalchemy import Engine

import logs
import services.auth.passwords
from app import create_app
from config import Settings
from models import db
from services.core import background_tasks
from tests.support import postgres
from tests.support.pages import Browser
from tests.support.passwords import CHEAP
from tests.support.templates import StrictUndefined

pytest_plugins = ["tests.support.fixtures"]
DATABASE_URL = "COUNTERPART_TEST_DATABASE_URL"
MEMORY = Path("/dev/shm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgresql", action="store_true", help="run on a PostgreSQL server started for the tests"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Each process that runs tests has a server of its own, since some tests stop it."""
    distributes = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if config.getoption("postgresql") and not distributes:
        server = ExitStack()
        config.add_cleanup(server.close)
        os.environ[DATABASE_URL] = server.enter_context(postgres.running())


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where a commit waits for no disk: no test here is about a power cut."""
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
    if url := os.environ.get(DATABASE_URL):
        environ["COUNTERPART_DATABASE_URL"] = url
    return Settings.from_env(environ)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application on a fresh schema: SQLite, or COUNTERPART_TEST_DATABASE_URL."""
    application = create_app(settings)
    application.testing = True
    application.jinja_env.undefined = StrictUndefined
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
    """An application context for the test, and empty tables after it. Passwords are hashed at low cost."""
    monkeypatch.setattr(services.auth.passwords, "_hasher", CHEAP)
    logs.repeats.forget()
    with app.app_context():
        yield
        assert background_tasks.wait(60), "A background task of a page is still running."
        db.session.remove()
        empty_tables(db.engine)


def empty_tables(engine: Engine) -> None:
    """Delete every row, by one message to the database."""
    statements = [
        *(f"UPDATE {table} SET {column} = NULL" for table, column in _keys_of_a_cycle()),
        *(f"DELETE FROM {table}" for table in reversed(db.metadata.sorted_tables)),
    ]
    connection = engine.raw_connection()
    try:
        if engine.dialect.name == "sqlite":
            connection.driver_connection.executescript("; ".join(["BEGIN IMMEDIATE", *statements, "COMMIT"]))
        else:
            connection.driver_connection.execute("; ".join(statements))
            connection.commit()
    finally:
        connection.close()


def _keys_of_a_cycle() -> Iterator[tuple[str, str]]:
    """Columns that lead to a table whose rows lead back."""
    for table in db.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if key.use_alter:
                yield from ((table.name, column) for column in key.column_keys)


@pytest.fixture
def browser(app: Flask, database: None) -> Browser:
    """A browser without a session; it checks the rules for all pages on every page it is given."""
    return Browser(app)
