"""A member with a matter and a server on record, for transfers whose rows the tests write themselves."""

from __future__ import annotations

import uuid

import pytest

from models import Member
from tests.support.matters import add_server
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.transfers import make_matter


@pytest.fixture
def alice(browser: Browser) -> Member:
    member = make_member("Alice Archer")
    browser.sign_in(member)
    return member


@pytest.fixture
def matter_id(alice: Member) -> uuid.UUID:
    return make_matter(alice.id)


@pytest.fixture
def server_id(database: None) -> uuid.UUID:
    return add_server()
