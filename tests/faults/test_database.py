"""The database's faults (33, 47, 48, 50): dropped connections, a damaged file, another schema, an old backup."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import sqlite_file
from models import db
from services.core.runtime import runtime
from services.execution import folder_snapshots
from services.transfers.states import ItemState
from tests.faults.matrix import cells
from tests.faults.scenario import Cell
from tests.faults.scene import Scene
from tests.support import postgres
from tests.support.practice import sign_in_to_imanage


def of(*names: str) -> list[Cell]:
    return [each for each in cells("database") if each.scenario.name in names]


def release_database() -> None:
    db.session.remove()
    db.engine.dispose()


def finished(scene: Scene) -> None:
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize("cell", of("newer-schema"), ids=lambda cell: cell.id)
def test_newer_schema(cell: Cell, scene: Scene) -> None:
    """The next release's migration has run while this release's worker is still running."""
    scene.prepare()
    scene.begin()
    release_database()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE transfer_item ADD COLUMN of_the_next_release VARCHAR(10)"))
    try:
        finished(scene)
    finally:
        release_database()
        with db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE transfer_item DROP COLUMN of_the_next_release"))


@pytest.mark.parametrize("cell", of("connections-dropped"), ids=lambda cell: cell.id)
def test_connections_dropped(cell: Cell, scene: Scene) -> None:
    """PostgreSQL closes every connection, as in a restart or failover."""
    scene.prepare()
    scene.begin()
    with db.engine.connect() as connection:
        end_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        connection.execute(text(f"{end_others} AND datname = current_database()"))
    for _ in range(3):
        with suppress(DBAPIError):
            scene.carry_once()
            break
        db.session.remove()
    finished(scene)


def database_file() -> Path:
    file = sqlite_file(runtime().settings.database_url)
    assert file is not None
    return file


def gone(file: Path) -> None:
    file.unlink()


def broken(file: Path) -> None:
    file.write_bytes(b"no database " * 1000)


HARMS: dict[str, Callable[[Path], None]] = {"file-missing": gone, "file-corrupt": broken}


def copied(folder: Path) -> Path:
    """Back up the database, of either kind."""
    release_database()
    backup, url = folder / "backup", runtime().settings.database_url
    if not url.startswith("sqlite"):
        postgres.dump(url, backup)
        return backup
    with sqlite3.connect(database_file()) as here, sqlite3.connect(backup) as there:
        here.backup(there)
    here.close()
    there.close()
    return backup


def restored(backup: Path) -> None:
    release_database()
    url = runtime().settings.database_url
    if url.startswith("sqlite"):
        file = database_file()
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()
        shutil.copy(backup, file)
    else:
        postgres.restore(url, backup)
    folder_snapshots._readings.clear()  # a new process has no snapshots in memory


@pytest.mark.parametrize("cell", of("file-missing", "file-corrupt"), ids=lambda cell: cell.id)
def test_file_harmed(cell: Cell, scene: Scene) -> None:
    """Nothing is sent without a row; everything resumes when the file is restored."""
    scene.prepare()
    scene.begin()
    file = database_file()
    backup = copied(scene.folder_here)
    asked = len(scene.practice.requests)
    for each in file.parent.glob(f"{file.name}-*"):
        each.unlink()
    HARMS[cell.scenario.name](file)
    with pytest.raises(DBAPIError):
        scene.carry(scene.items[0])
    assert len(scene.practice.requests) == asked
    restored(backup)
    finished(scene)


@pytest.mark.parametrize("cell", of("old-backup"), ids=lambda cell: cell.id)
def test_old_backup(cell: Cell, scene: Scene) -> None:
    """The backup has the transfer as unfinished: it is repeated here, but not in iManage."""
    scene.prepare()
    scene.begin()
    backup = copied(scene.folder_here)
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    restored(backup)
    assert ItemState.DONE not in scene.states()
    finished(scene)


@pytest.mark.parametrize("cell", of("old-backup-stale-sign-in"), ids=lambda cell: cell.id)
def test_old_backup_with_a_stale_sign_in(cell: Cell, scene: Scene) -> None:
    """The same, with expired tokens in the backup: the member signs in again, and nothing is sent twice."""
    scene.prepare()
    scene.begin()
    backup = copied(scene.folder_here)
    scene.practice.expire_tokens()
    scene.dial("rotate_refresh", where="token", times=1)
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.practice.expire_tokens()
    restored(backup)
    assert ItemState.DONE not in scene.states()
    scene.carry_on()
    assert set(scene.states()) == {ItemState.NEEDS_SIGN_IN}
    scene.words_are_plain()
    sign_in_to_imanage(scene.desk.browser, scene.server_id)
    finished(scene)
