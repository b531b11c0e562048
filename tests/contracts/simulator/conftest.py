"""A running practice server per module, reset for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator import Settings, Simulator
from tests.contracts.simulator.caller import Caller


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as sim:
        yield sim


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    yield running
    running.faults.clear()
    running.settings.update(Settings().as_dict())
    running.revoke()
    running.forget_requests()


@pytest.fixture
def alice(sim: Simulator) -> Iterator[Caller]:
    with Caller(sim, "alice") as caller:
        yield caller


@pytest.fixture
def bram(sim: Simulator) -> Iterator[Caller]:
    with Caller(sim, "bram") as caller:
        yield caller
