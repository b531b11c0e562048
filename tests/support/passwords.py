"""Members with a real password hash, and signing in as them."""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher
from werkzeug.test import TestResponse

from models import Member
from tests.support.pages import Browser
from tests.support.people import make_member

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A cheap hasher, since tests create hundreds of members."""
_hash = CHEAP.hash(PASSWORD)


def with_password(name: str = "", **more: Any) -> Member:
    return make_member(name, password_hash=_hash, **more)


def sign_in(
    browser: Browser, email: str, password: str = PASSWORD, url: str = "/sign-in", **more: Any
) -> TestResponse:
    return browser.post(url, {"email": email, "password": password}, **more)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200
