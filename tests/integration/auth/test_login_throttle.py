"""Limits on guessing: none slips past, nobody is kept out of their account by others, and they are told."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from models import Member, SignInAttempt
from services.auth import known_devices, login_throttle
from services.core.errors import TooManyError
from services.core.unit_of_work import unit_of_work
from services.mail import smtp
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.pages import Browser
from tests.support.passwords import PASSWORD, sign_in, with_password
from tests.support.people import make_member
from tests.support.smtp import mail_server


def test_no_guess_slips_past_the_count(app: Flask, database: None) -> None:
    def guess() -> login_throttle.Attempt:
        return login_throttle.register(login_throttle.unknown_browser_limits("anna@firm.test", "192.0.2.1"))

    answers = at_once(app, *[guess] * 12)
    assert sum(isinstance(answer, login_throttle.Attempt) for answer in answers) <= login_throttle.PER_PAIR
    assert all(isinstance(answer, login_throttle.Attempt | TooManyError) for answer in answers)


ANNA = "anna@firm.test"
DEVICE = "counterpart-device"


@pytest.fixture
def anna(database: None) -> Member:
    return with_password("Anna", email=ANNA)


def device_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie(DEVICE)
    assert cookie is not None and cookie.http_only and cookie.same_site == "Lax" and cookie.max_age
    return cookie.value


def guess_at(app: Flask, email: str = ANNA, *, times: int = login_throttle.PER_PAIR) -> Browser:
    """Someone else guesses, at the same address as everybody in these tests, until they have to wait."""
    stranger = Browser(app)
    for _ in range(times):
        assert sign_in(stranger, email, "wrong").status_code == 422
    assert sign_in(stranger, email, "wrong").status_code == 429
    return stranger


def test_nobody_is_kept_out_of_an_account_by_guesses_of_others(
    app: Flask, browser: Browser, anna: Member
) -> None:
    """Not from the same address either: colleagues behind one router share it."""
    sign_in(browser, ANNA)
    device_of(browser)
    browser.post("/sign-out")
    stranger = guess_at(app)
    assert sign_in(stranger, ANNA).status_code == 429
    assert sign_in(browser, ANNA).status_code == 303


def test_an_address_that_is_full_of_guesses_keeps_no_known_browser_waiting(
    app: Flask, browser: Browser, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser, ANNA)
    browser.post("/sign-out")
    monkeypatch.setattr(login_throttle, "PER_ADDRESS", 3)
    stranger = Browser(app)
    for number in range(3):
        sign_in(stranger, f"m{number}@firm.test", "wrong")
    assert sign_in(stranger, "another@firm.test", "wrong").status_code == 429
    assert sign_in(browser, ANNA).status_code == 303


def test_from_another_address_an_unknown_browser_is_let_in_as_well(
    app: Flask, browser: Browser, anna: Member
) -> None:
    guess_at(app)
    answer = browser.post(
        "/sign-in",
        {"email": ANNA, "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert answer.status_code == 303


def test_guesses_from_everywhere_are_slowed_down_for_unknown_browsers(
    app: Flask, browser: Browser, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser, ANNA)
    browser.post("/sign-out")
    monkeypatch.setattr(login_throttle, "PER_ACCOUNT", 7)
    stranger = Browser(app)
    answers = [
        stranger.post(
            "/sign-in",
            {"email": ANNA, "password": "wrong"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{number}"},
        ).status_code
        for number in range(9)
    ]
    assert answers == [422] * 7 + [429] * 2
    assert sign_in(browser, ANNA).status_code == 303


def test_a_known_browser_has_its_own_limit_and_then_that_of_all(browser: Browser, anna: Member) -> None:
    """A known browser has a limit, too."""
    sign_in(browser, ANNA)
    browser.post("/sign-out")
    wrong = [
        sign_in(browser, ANNA, "wrong").status_code
        for _ in range(login_throttle.PER_DEVICE + login_throttle.PER_PAIR + 1)
    ]
    assert wrong == [422] * (login_throttle.PER_DEVICE + login_throttle.PER_PAIR) + [429]
    assert sign_in(browser, ANNA).status_code == 429


@pytest.mark.parametrize("change", ["forged", "of another", "cut", "old"])
def test_a_cookie_that_is_not_this_accounts_makes_no_browser_known(
    app: Flask, browser: Browser, anna: Member, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = with_password("Bert", email="bert@firm.test")
    sign_in(browser, ANNA)
    value = device_of(browser)
    if change == "old":
        later = time.time() + known_devices.MAX_AGE.total_seconds() + 60
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    value = {
        "forged": f"{value[:-4]}AAAA",
        "of another": known_devices.remember("", bert.id),
        "cut": value[:20],
        "old": value,
    }[change]
    assert known_devices.nonce_for(value, anna.id) is None
    stranger = guess_at(app)
    stranger.client.set_cookie(DEVICE, value)
    assert sign_in(stranger, ANNA).status_code == 429


def test_a_browser_of_several_people_is_known_to_each(database: None) -> None:
    people = [make_member() for _ in range(known_devices.MAX_ACCOUNTS + 1)]
    cookie = ""
    for person in people:
        cookie = known_devices.remember(cookie, person.id)
    known = [known_devices.nonce_for(cookie, person.id) is not None for person in people]
    assert known == [False] + [True] * known_devices.MAX_ACCOUNTS
    assert len(cookie) < 1000


def test_over_https_the_cookie_is_of_this_host_alone(
    app: Flask, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SESSION_COOKIE_NAME", "__Host-counterpart")
    monkeypatch.setitem(
        app.config, "SETTINGS", replace(app.config["SETTINGS"], public_url="https://counterpart.firm.test")
    )
    answer = sign_in(Browser(app), ANNA)
    (cookie,) = (
        each for each in answer.headers.getlist("Set-Cookie") if each.startswith("__Host-counterpart-device=")
    )
    assert "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_whose_account_it_is_is_told_by_mail_and_at_the_next_sign_in(
    app: Flask, browser: Browser, anna: Member
) -> None:
    sign_in(browser, ANNA)
    browser.post("/sign-out")
    with mail_server() as box:
        for _ in range(3):
            guess_at(app, times=login_throttle.PER_PAIR)
            wait_over()
        assert smtp.send_due() == 1
    (message,) = box.messages
    assert message["To"] == ANNA and message["Subject"] == "Failed sign-ins to your Counterpart account"
    assert "127.0.0.1" in message.get_content()
    sign_in(browser, ANNA)
    page = browser.page("/matters")
    assert "There were failed sign-ins to your account" in page.text
    browser.post("/sign-out")
    sign_in(browser, ANNA)
    assert "Wrong passwords" not in browser.page("/matters").text


def test_the_audit_has_the_tries_and_the_wait_once(app: Flask, anna: Member) -> None:
    stranger = guess_at(app)
    for _ in range(5):
        sign_in(stranger, ANNA, "wrong")
    assert trail() == [("sign_in", "failed", ANNA)] * 5 + [("sign_in.locked", "refused", ANNA)]


def test_nobody_can_keep_an_installation_from_being_set_up(app: Flask, database: None) -> None:
    """From one address the code can be tried fifty times; others are not kept waiting by it."""
    for _ in range(login_throttle.PER_ADDRESS):
        login_throttle.register((login_throttle.address_limit("192.0.2.1"),))
    with pytest.raises(TooManyError):
        login_throttle.register((login_throttle.address_limit("192.0.2.1"),))
    assert login_throttle.register((login_throttle.address_limit("192.0.2.2"),))


def wait_over() -> None:
    with unit_of_work() as writing:
        for row in writing.scalars(select(SignInAttempt)):
            row.at -= login_throttle.WINDOW
