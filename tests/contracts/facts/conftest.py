"""One practice server for a file of tests: each turns its dials, and puts them back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from storage import open_store
from tests.contracts.facts.bench import Bench, world


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("facts")
    with Simulator(world=world(), port=0, data_dir=folder / "imanage") as sim:
        yield Bench(sim, open_store(f"file://{folder / 'blobs'}"))


@pytest.fixture
def bench(running: Bench) -> Iterator[Bench]:
    running.turn()
    yield running
    running.turn()
    running.sim.faults.clear()
    running.clean()
