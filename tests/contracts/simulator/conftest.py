"""A running practice server per module, reset for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator import Settings, Simulator, load_world
from simulator.worlds import EXAMPLE
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


@pytest.fixture
def office() -> Iterator[Simulator]:
    """A server with the example world: one of every kind of thing."""
    with Simulator(world=load_world(EXAMPLE).world) as sim:
        yield sim


@pytest.fixture
def archer(office: Simulator) -> Iterator[Caller]:
    """Alice Archer in the example world's library Legal."""
    with Caller(office, "alice", "Legal") as caller:
        yield caller
