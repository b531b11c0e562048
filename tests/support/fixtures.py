"""Fixtures that many files share: a System Admin, the practice iManage, members signed in to it, and workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config import Settings
from models import Member
from services.core import background_tasks, runtime
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.practice import practice_imanage, practice_server, reached, sign_in_to_imanage
from tests.support.sign_ins import SignIn
from tests.support.transfers import Desk, make_desk
from tests.support.worker_processes import Workers, running_workers


@pytest.fixture
def admin(browser: Browser) -> Browser:
    """The browser of a System Admin."""
    return browser.sign_in(make_member("Margaret Okafor", email="margaret@admin.test", is_admin=True))


@pytest.fixture
def ada(database: None) -> Member:
    """Another System Admin, for tests that need the member as well as the browser."""
    return make_member("Ada Admin", email="ada@firm.test", is_admin=True)


@pytest.fixture
def ada_browser(app: Flask, ada: Member) -> Browser:
    return Browser(app).sign_in(ada)


@pytest.fixture
def own_runtime(app: Flask) -> Iterator[None]:
    """For a test that creates another application: afterwards the services belong to the usual one again."""
    usual = runtime.runtime()
    yield
    runtime.bind(usual)
    background_tasks.bind(app.app_context)


@pytest.fixture(scope="module")
def practice_running() -> Iterator[Simulator]:
    """One practice iManage for each file: what a test adds to it, the next test finds."""
    with practice_imanage() as practice:
        yield practice


@pytest.fixture
def practice(practice_running: Simulator, database: None) -> Iterator[Simulator]:
    """The practice iManage without faults, reached by the services."""
    with reached(practice_running) as practice:
        yield practice


@pytest.fixture
def desk(browser: Browser, practice: Simulator) -> Desk:
    """Alice with a matter, signed in to Counterpart and to the practice iManage."""
    return make_desk(browser, practice)


@pytest.fixture
def workers(settings: Settings, desk: Desk, tmp_path: Path) -> Iterator[Workers]:
    """Real worker processes that can reach the practice iManage."""
    with running_workers(settings, desk.practice.port, tmp_path) as pool:
        yield pool


@pytest.fixture
def signed_in(app: Flask, browser: Browser, practice: Simulator) -> SignIn:
    """A member's sign-in alone, before any request to iManage."""
    member = make_member("Alice Archer", email="alice@practice.example")
    server = practice_server(practice)
    sign_in_to_imanage(browser.sign_in(member), server.id)
    practice.forget_requests()
    return SignIn(app, practice, member.id, server.id)
