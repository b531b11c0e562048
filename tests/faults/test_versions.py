"""Real processes with the schema of another version (33, 47): they report it, write nothing, and lose nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from config import Settings
from models import db
from services.transfers.states import LIVE, ItemState
from simulator import Fault
from tests.faults.matrix import cells
from tests.faults.real_workers import begun, carried_on
from tests.faults.scenario import Cell
from tests.faults.scene import Scene
from tests.support.schema_revision import head, mark, marked
from tests.support.stack import free_port
from tests.support.worker_processes import REPOSITORY, environment_of, running_workers

NEXT = """
revision = "of_the_next_release"
down_revision = "{head}"


def upgrade():
    pass


def downgrade():
    pass
"""
NOT_SHIPPED = shutil.ignore_patterns(".*", "instance", "tests", "bench", "docs", "static", "node_modules")


def of(*names: str) -> list[Cell]:
    return [each for each in cells("versions") if each.scenario.name in names]


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This program with one more migration, for which the current schema is outdated."""
    folder = tmp_path_factory.mktemp("next") / "release"
    shutil.copytree(REPOSITORY, folder, ignore=NOT_SHIPPED)
    (folder / "migrations" / "versions" / "9999_next.py").write_text(NEXT.format(head=head()))
    return folder


def all_that_is_there() -> dict[str, list[str]]:
    """Every row of every table in every schema, including the engine's."""
    db.session.remove()
    found = {}
    with db.engine.connect() as connection:
        there = inspect(connection)
        for schema in set(there.get_schema_names()) - {"information_schema"}:
            for table in there.get_table_names(schema=schema):
                rows = connection.execute(text(f'SELECT * FROM "{schema}"."{table}"'))
                found[f"{schema}.{table}"] = sorted(map(repr, rows))
    return found


def refusals(release: Path, environment: dict[str, str]) -> list[str]:
    """The output of worker and web, which exit by themselves."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", command],
            cwd=release,
            env={**os.environ, **environment, "COUNTERPART_PORT": str(free_port())},
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in ("worker", "web")
    ]
    try:
        said = [process.communicate(timeout=30)[1] for process in started]
        assert [process.returncode for process in started] == [1, 1], said
    finally:
        for process in started:
            process.kill()
    return said


@pytest.mark.parametrize("cell", of("tables-older", "tables-newer"), ids=lambda cell: cell.id)
def test_tables_of_another_version(cell: Cell, scene: Scene, settings: Settings, next_release: Path) -> None:
    """Worker and web exit before any write or call, with a sentence that says what to run."""
    scene.prepare()
    scene.begin()
    with marked():
        if cell.scenario.name == "tables-older":
            release, says = next_release, "an older version"
        else:
            release, says = REPOSITORY, "a newer version"
            mark("of_the_next_release")
        before, asked = all_that_is_there(), len(scene.practice.requests)
        environment = environment_of(settings, scene.proxy.port)
        for said in refusals(release, environment):
            assert says in said and "make migrate" in said
            assert "Traceback" not in said
        assert all_that_is_there() == before, "something was written"
        assert len(scene.practice.requests) == asked
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize("cell", of("rolled-out"), ids=lambda cell: cell.id)
def test_rolled_out(cell: Cell, scene: Scene, settings: Settings) -> None:
    """The next release's migration runs under a worker, which releases its items and exits; the next one resumes."""
    scene.prepare()
    with running_workers(settings, scene.proxy.port, scene.folder_here) as workers:
        worker = workers.start()
        begun(scene, for_seconds)
        mark("of_the_next_release")
        assert worker.process.wait(15) == 0, worker.said()
        assert "a newer version" in worker.said()
        assert scene.states()[0] in LIVE | {ItemState.DONE}
        scene.words_are_plain_or_waiting()
        scene.settled()
        scene.practice.faults.clear()
        workers.workers.clear()
        mark(head())
        workers.start()
        carried_on(scene, workers)


def for_seconds(scene: Scene) -> Fault:
    if scene.is_get:
        return scene.dial("trickle", at=50_000, rate=15_000, times=1)
    return scene.dial("slow", seconds=4.5, times=1)
