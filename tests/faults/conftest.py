"""Shared fixtures: the practice iManage behind a fault proxy, and the choice between the quick half and all cells.

FAULTS=all runs every cell, else the quick ones; FAULTS_RESULTS names a file for what became of each.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imanage import client as imanage_client
from imanage.guard import Limits
from models import db
from services.core import runtime
from services.servers import transport
from simulator import Simulator
from tests.faults.scenario import WORKER, Cell
from tests.faults.scene import Scene
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_imanage, practice_server, reached, sign_in_to_imanage
from tests.support.transfers import Desk, make_matter

HOST = "imanage.practice.test"
SHORT_LIMITS = Limits(connect_seconds=0.4, read_seconds=0.6, total_seconds=2, upload_response_seconds=0.6)
_results: dict[str, str] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect cells that are not in the quick half, or belong to another database."""
    whole = os.environ.get("FAULTS") == "all"
    database = "postgresql" if os.environ.get("COUNTERPART_TEST_DATABASE_URL") else "sqlite"
    kept, left = [], []
    for item in items:
        cell = _cell_of(item)
        fits = cell is None or ((whole or cell.is_quick) and cell.scenario.database in ("both", database))
        (kept if fits else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    cell = _cell_of(item)
    if cell is not None:
        report = outcome.get_result()
        if report.when == "call" or report.failed:
            _results[cell.id] = "failed" if report.failed else _results.get(cell.id, report.outcome)


def pytest_sessionfinish() -> None:
    if path := os.environ.get("FAULTS_RESULTS"):
        Path(path).write_text(json.dumps(_results, indent=0, sort_keys=True), encoding="utf-8")


def _cell_of(item: pytest.Item) -> Cell | None:
    call = getattr(item, "callspec", None)
    found = call.params.get("cell") if call else None
    return found if isinstance(found, Cell) else None


@pytest.fixture(scope="session")
def practice_running() -> Iterator[Simulator]:
    with practice_imanage() as practice:
        yield practice


@pytest.fixture
def proxy(practice_running: Simulator) -> Iterator[FaultProxy]:
    with fault_proxy(("127.0.0.1", practice_running.port)) as line:
        yield line


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Answers of the resolver: an address, or the name of an error."""
    usual = socket.getaddrinfo
    table = {HOST: "127.0.0.1"}

    def look(host: object, *more: Any, **options: Any) -> object:
        answer = table.get(str(host), str(host))
        if answer.startswith("EAI_"):
            raise socket.gaierror(getattr(socket, answer), "as told")
        return usual(answer, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look)
    return table


@pytest.fixture
def practice(
    practice_running: Simulator, proxy: FaultProxy, database: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Simulator]:
    """The practice iManage behind the proxy, whose port our rules allow, with short timeouts."""
    monkeypatch.setattr(transport, "Limits", lambda: SHORT_LIMITS)
    monkeypatch.setattr(imanage_client, "_FIRST_BACKOFF", 0.01)
    with reached(practice_running) as practice:
        usual = runtime.runtime()
        ports = usual.settings.imanage_ports | {proxy.port}
        runtime.bind(replace(usual, settings=replace(usual.settings, imanage_ports=ports)))
        yield practice
        db.session.rollback()


@pytest.fixture
def scene(
    cell: Cell,
    browser: Browser,
    practice: Simulator,
    proxy: FaultProxy,
    names: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """A member whose server is reached through the proxy: by name, or by a real worker, which asks DNS."""
    member = make_member("Associate Alice", email="alice@practice.example")
    host = "127.0.0.1" if cell.scenario.on == WORKER else HOST
    url = f"http://{host}:{proxy.port}"
    server = practice_server(practice, url=url, api_url=url)
    matter_id = make_matter(member.id)
    browser.sign_in(member)
    sign_in_to_imanage(browser, server.id)
    desk = Desk(browser, actor_of(member), matter_id, server, practice)
    return Scene(desk, cell, proxy, names, tmp_path, monkeypatch.setenv)
