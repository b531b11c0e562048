"""Fixtures of whoever works with the practice iManage: it runs, it is reached, and somebody is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config import Settings
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.practice import practice_imanage, practice_server, reached, sign_in_to_imanage
from tests.support.sign_ins import SignIn
from tests.support.transfers import Desk, make_desk
from tests.support.worker_processes import Crew, crew


@pytest.fixture(scope="module")
def practice_running() -> Iterator[Simulator]:
    """One world for a file: what a test adds to it, the next one finds."""
    with practice_imanage() as practice:
        yield practice


@pytest.fixture
def practice(practice_running: Simulator, database: None) -> Iterator[Simulator]:
    """Every dial where it starts."""
    with reached(practice_running) as practice:
        yield practice


@pytest.fixture
def desk(browser: Browser, practice: Simulator) -> Desk:
    """Alice at work, signed in to both."""
    return make_desk(browser, practice)


@pytest.fixture
def workers(settings: Settings, desk: Desk, tmp_path: Path) -> Iterator[Crew]:
    """Real workers that may reach it."""
    with crew(settings, desk.practice.port, tmp_path) as company:
        yield company


@pytest.fixture
def signed_in(app: Flask, browser: Browser, practice: Simulator) -> SignIn:
    """Her sign-in alone, with nothing asked of iManage yet."""
    member = make_member("Alice Archer", email="alice@practice.example")
    server = practice_server(practice)
    sign_in_to_imanage(browser.sign_in(member), server.id)
    practice.forget_requests()
    return SignIn(app, practice, member.id, server.id)
