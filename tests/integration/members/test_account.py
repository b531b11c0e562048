"""A person's own account: the password, and Connected accounts for members only."""

from __future__ import annotations

import pytest
from flask import Flask

from models import Member
from services.auth import login_throttle
from tests.support.audit import trail
from tests.support.matters import add_server
from tests.support.pages import Browser, read
from tests.support.passwords import PASSWORD, is_signed_in, sign_in, with_password

NEW = "another fine sentence"


@pytest.fixture
def anna(browser: Browser) -> Member:
    member = with_password("Anna", email="anna@firm.test")
    sign_in(browser, "anna@firm.test")
    return member


def change(browser: Browser, current: str, new: str) -> tuple[int, str]:
    answer = browser.post("/account/password", {"current": current, "new": new})
    page = read(answer, whole=True) if answer.status_code != 303 else None
    return answer.status_code, page.text if page else ""


def test_a_changed_password_ends_the_other_sessions_only(app: Flask, browser: Browser, anna: Member) -> None:
    other = Browser(app)
    sign_in(other, "anna@firm.test")
    assert change(browser, PASSWORD, NEW)[0] == 303
    assert "Your password has been changed." in browser.page("/account").text
    assert not is_signed_in(other)
    assert sign_in(other, "anna@firm.test").status_code == 422
    assert sign_in(other, "anna@firm.test", NEW).status_code == 303
    assert ("password.changed", "done", "") in trail()


@pytest.mark.parametrize(
    ("current", "new", "sentence"),
    [
        ("not mine at all", NEW, "This is not your current password."),
        ("", NEW, "Enter your current password."),
        (PASSWORD, "", "Enter a new password."),
        (PASSWORD, "short", "12 characters or more"),
        (PASSWORD, "p" * 201, "200 characters or fewer"),
        (PASSWORD, "anna@firm.test", "does not contain your name, email address or organisation"),
        (PASSWORD, PASSWORD, "that differs from your current one"),
    ],
)
def test_what_does_not_change_it(
    browser: Browser, anna: Member, current: str, new: str, sentence: str
) -> None:
    status, text = change(browser, current, new)
    assert status == 422
    assert sentence in text
    assert sign_in(browser, "anna@firm.test").status_code == 303


def test_an_open_browser_is_no_place_to_guess_the_password(browser: Browser, anna: Member) -> None:
    for _ in range(login_throttle.PER_PAIR):
        assert change(browser, "wrong", NEW)[0] == 422
    status, text = change(browser, PASSWORD, NEW)
    assert status == 429 and "Try again in" in text


def test_nothing_typed_comes_back(browser: Browser, anna: Member) -> None:
    answer = browser.post("/account/password", {"current": "secret-one", "new": "secret2"})
    assert "secret" not in answer.get_data(as_text=True)


def test_members_see_connected_accounts_and_guests_nothing_of_imanage(
    app: Flask, browser: Browser, anna: Member
) -> None:
    add_server("London DMS")
    assert "Connected accounts" in browser.page("/account").text
    guest = Browser(app).sign_in(with_password("Gail", is_guest=True, organisation="Bank"))
    html = guest.get("/account").get_data(as_text=True)
    assert "Connected accounts" not in html and "imanage" not in html.lower() and "London DMS" not in html
