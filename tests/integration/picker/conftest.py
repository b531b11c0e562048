"""Alice, who is signed in to the practice iManage and has a matter."""

from __future__ import annotations

import pytest

from models import Server
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.picker import Desk, make_matter
from tests.support.practice import practice_server, sign_in_to_imanage


@pytest.fixture
def server(practice: Simulator) -> Server:
    return practice_server(practice)


@pytest.fixture
def desk(browser: Browser, practice: Simulator, server: Server) -> Desk:
    member = make_member("Alice Archer", email="alice@practice.example")
    actor = actor_of(member)
    browser.sign_in(member)
    sign_in_to_imanage(browser, server.id)
    practice.forget_requests()
    return Desk(browser, actor, practice, make_matter(actor), server.id)
