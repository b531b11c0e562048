"""What a failure of the database is called: each made by a real database, none by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from services.core import outages

Arrange = Callable[[Path], str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE thing (name TEXT)")
    connection.close()
    return path


def engine(url: str, **more: Any) -> Engine:
    return create_engine(url, poolclass=NullPool, **more)


def failure(on: Engine, *statements: str) -> SQLAlchemyError:
    with pytest.raises(SQLAlchemyError) as raised, on.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    return raised.value


def as_it_is(path: Path) -> str:
    return f"sqlite:///{path}"


def no_database(path: Path) -> str:
    path.write_bytes(b"no database " * 1000)
    return as_it_is(path)


def damaged(path: Path) -> str:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    content[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(content)
    return as_it_is(path)


def a_folder(path: Path) -> str:
    path.unlink()
    path.mkdir()
    return as_it_is(path)


def emptied(path: Path) -> str:
    path.write_bytes(b"")
    return as_it_is(path)


def read_only(path: Path) -> str:
    return f"sqlite:///file:{path}?mode=ro&uri=true"


@pytest.mark.parametrize(
    ("arrange", "statements", "expected"),
    [
        (no_database, ["SELECT * FROM thing"], outages.DAMAGED),
        (damaged, ["SELECT * FROM thing"], outages.DAMAGED),
        (a_folder, ["SELECT * FROM thing"], outages.DAMAGED),
        (read_only, ["INSERT INTO thing VALUES ('x')"], outages.DAMAGED),
        (emptied, ["SELECT * FROM thing"], outages.OTHER_TABLES),
        (as_it_is, ["SELECT missing FROM thing"], outages.OTHER_TABLES),
        (
            as_it_is,
            ["PRAGMA max_page_count = 2", "INSERT INTO thing VALUES (hex(zeroblob(100000)))"],
            outages.FULL,
        ),
        (as_it_is, ["SELECT FROM"], None),
        (as_it_is, ["INSERT INTO thing VALUES (1, 2)"], None),
    ],
)
def test_sqlite(file: Path, arrange: Arrange, statements: list[str], expected: outages.Outage | None) -> None:
    assert outages.of(failure(engine(arrange(file)), *statements)) is expected


def test_somebody_else_writes_to_the_file(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("BEGIN IMMEDIATE")
        late = engine(as_it_is(file), connect_args={"timeout": 0})
        assert outages.of(failure(late, "INSERT INTO thing VALUES ('x')")) is outages.CONFLICT
    other.close()


def test_nobody_listens() -> None:
    unreachable = engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    assert outages.of(failure(unreachable, "SELECT 1")) is outages.AWAY


def test_a_pool_that_is_full() -> None:
    assert outages.of(PoolTimeout("QueuePool limit of size 1 overflow 0 reached")) is outages.BUSY


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.AdminShutdown, outages.AWAY),
        (psycopg.errors.CannotConnectNow, outages.AWAY),
        (psycopg.errors.TooManyConnections, outages.BUSY),
        (psycopg.errors.DiskFull, outages.FULL),
        (psycopg.errors.DeadlockDetected, outages.CONFLICT),
        (psycopg.errors.SerializationFailure, outages.CONFLICT),
        (psycopg.errors.ReadOnlySqlTransaction, outages.AWAY),
        (psycopg.errors.InvalidPassword, outages.AWAY),
        (psycopg.errors.UndefinedTable, outages.OTHER_TABLES),
        (psycopg.errors.DataCorrupted, outages.DAMAGED),
        (psycopg.errors.NumericValueOutOfRange, None),
        (psycopg.errors.UniqueViolation, None),
        (psycopg.errors.SyntaxError, None),
    ],
)
def test_what_postgresql_says(error: type[psycopg.Error], expected: outages.Outage | None) -> None:
    assert outages.of(DBAPIError.instance("SELECT 1", {}, error(), psycopg.Error)) is expected


def test_any_other_error_is_none() -> None:
    assert outages.of(RuntimeError("something else")) is None
